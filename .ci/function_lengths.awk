# Prints every function of more than `most` lines, from the first line of its signature to its closing brace.
# Follows braces and parentheses outside comments, strings and preprocessor lines. A brace opens a body where the text since the last
# statement has a parameter list and the scope around is a file, a namespace or a class; lambdas count as part of their function.
# usage: awk -v most=60 -f function_lengths.awk FILE...
FNR == 1 { depth = parens = 0; text = ""; start = 0; comment = raw = continued = 0 }
{
  line = $0
  if (raw) {  # inside a raw string that spans lines
    end = index(line, raw)
    if (!end) next
    line = substr(line, end + length(raw)); raw = ""
  }
  if (!comment && (continued || line ~ /^ *#/)) { continued = line ~ /\\$/; next }
  gsub(/\\./, "", line)
  for (i = 1; i <= length(line); ++i) {
    c = substr(line, i, 1)
    if (comment) { if (substr(line, i, 2) == "*/") { comment = 0; ++i } continue }
    if (substr(line, i, 2) == "//") break
    if (substr(line, i, 2) == "/*") { comment = 1; ++i; continue }
    if (c == "R" && match(substr(line, i), /^R"[a-z]*\(/)) {
      closing = ")" substr(line, i + 2, RLENGTH - 3) "\""
      rest = substr(line, i + RLENGTH)
      if (!index(rest, closing)) { raw = closing; break }
      i += RLENGTH + index(rest, closing) + length(closing) - 2
      continue
    }
    if (c == "\"" || (c == "'" && substr(line, i - 1, 1) !~ /[0-9a-zA-Z]/)) {
      end = index(substr(line, i + 1), c)
      i = end ? i + end : length(line)
      text = text "s"
      continue
    }
    if (c == "(") ++parens
    if (c == ")") --parens
    if (c == "{") {
      kind = "inner"
      before = substr(line, i - 1, 1)
      outer = depth == 0 || scope[depth] == "open"
      if (outer && parens == 0 && before !~ /[A-Za-z0-9_>]/ && text !~ /= *$/) {
        if (text ~ /(^|[^a-z_])namespace( |$)/ || text ~ /^ *extern s *$/) kind = "open"
        else if (text ~ /(^|[^A-Za-z_])(class|struct|union|enum) / && text !~ /\)/) kind = "open"
        else if (text ~ /\)/) kind = "function"
      }
      scope[++depth] = kind; begun[depth] = start ? start : FNR; open_parens[depth] = parens; parens = 0
      if (kind != "inner") { text = ""; start = 0 }
    } else if (c == "}") {
      parens = open_parens[depth]
      length_now = FNR - begun[depth] + 1
      if (scope[depth] == "function" && length_now > most) printf "%s:%d: a function of %d lines, at most %d\n", FILENAME, begun[depth], length_now, most
      if (scope[depth] != "inner") { text = ""; start = 0 }
      --depth
    } else if ((c == ";" && parens == 0) || (c == ":" && text ~ /^ *(public|private|protected)$/)) {
      if (depth == 0 || scope[depth] == "open") { text = ""; start = 0 }
    } else if (depth == 0 || scope[depth] == "open") {
      if (c != " " && !start) start = FNR
      text = text c
    }
  }
  if (text != "") text = text " "
}
END { if (depth) { print FILENAME ": braces do not match"; } }
