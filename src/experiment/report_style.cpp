#include "experiment/report_style.h"

namespace pdarts::experiment {

namespace {

constexpr const char* kStyle = R"css(
:root{--ink:#1c2330;--soft:#5b6676;--faint:#8b95a5;--line:#e3e7ee;--paper:#fff;--back:#f5f7fa;--accent:#2f5fd0;
--good:#1b7f4b;--good-back:#e3f5ea;--bad:#b3261e;--bad-back:#fde8e6;--doubt:#8a5a00;--doubt-back:#fdf1d7;--calm:#4b5667;--calm-back:#edf0f5}
@media (prefers-color-scheme:dark){:root{--ink:#e7ebf2;--soft:#a5afbf;--faint:#7b8697;--line:#2b3342;--paper:#161c27;--back:#0f141c;--accent:#8fb0ff;
--good:#6fd6a0;--good-back:#12352a;--bad:#ff9b93;--bad-back:#421c1a;--doubt:#f0c069;--doubt-back:#3b2d10;--calm:#b3bdcc;--calm-back:#232b38}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
font-variant-numeric:tabular-nums}
main{max-width:1320px;margin:0 auto;padding:40px 28px 64px}
h1{font-size:30px;line-height:1.2;margin:0 0 6px;letter-spacing:-.015em}
h2{font-size:19px;margin:44px 0 14px;letter-spacing:-.01em}
h3{font-size:15px;margin:0}
p{margin:0 0 10px;max-width:78ch}
.source{color:var(--soft)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:14px;margin:26px 0 18px}
.card,.sheet,.line{background:var(--paper);border:1px solid var(--line);border-radius:12px}
.card{padding:14px 18px}
.card b{display:block;font-size:23px;line-height:1.25;letter-spacing:-.01em}
.card span{color:var(--soft);font-size:13px}
.card.good b{color:var(--good)}.card.bad b{color:var(--bad)}.card.doubt b{color:var(--doubt)}
.sheet{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th:first-child{padding-left:16px}
th{position:sticky;top:0;background:var(--paper);text-align:left;font-size:12px;font-weight:600;color:var(--soft);padding:11px 9px;border-bottom:1px solid var(--line);white-space:nowrap}
td{padding:6px 9px;vertical-align:middle}
tbody.group{border-top:1px solid var(--line)}
tbody.group:first-of-type{border-top:0}
tbody.group:hover{background:color-mix(in srgb,var(--accent) 5%,transparent)}
td.name{vertical-align:top;padding-top:9px;font-weight:600;min-width:180px;padding-left:16px}
td.name small{display:block;font-weight:400;color:var(--soft);font-size:12.5px}
.number{text-align:right;white-space:nowrap}
td.number.main{font-weight:650}
.muted{color:var(--faint)}
.unit{color:var(--faint);font-size:12.5px}
td.value{white-space:nowrap}
td.verdict{min-width:250px}
td.verdict .chip+small.note{display:inline;margin-left:8px}
td small.note{color:var(--soft);font-size:12.5px;line-height:1.35}
.chip{display:inline-block;padding:1px 10px;border-radius:99px;font-size:12.5px;font-weight:600;white-space:nowrap}
.good .chip,.chip.good{color:var(--good);background:var(--good-back)}.chip.bad{color:var(--bad);background:var(--bad-back)}
.chip.doubt{color:var(--doubt);background:var(--doubt-back)}.chip.calm{color:var(--calm);background:var(--calm-back)}
.strip .band{fill:var(--calm-back)}.strip .reference{stroke:var(--soft);stroke-width:1.5}.strip .interval{stroke:var(--accent);stroke-width:2;stroke-linecap:round}
.strip .run{fill:var(--accent);opacity:.45}.strip .value{fill:var(--accent)}.strip{display:block;width:132px;height:18px}
.line{padding:18px 20px;margin:0 0 14px}
.line header{display:flex;gap:12px;align-items:baseline;flex-wrap:wrap;margin-bottom:10px}
.line header span{color:var(--soft);font-size:13px}
.curves{display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:16px}
figure{margin:0}figcaption{font-size:12.5px;color:var(--soft);margin-bottom:2px}
.curve{width:100%;height:auto;display:block}
.curve .grid{stroke:var(--line)}.curve .stage{stroke:var(--faint);stroke-dasharray:2 3}
.tick{font-size:9.5px;fill:var(--faint)}
.curve polyline{fill:none;stroke-linejoin:round}.curve .train{stroke:var(--faint);stroke-width:1.2}.curve .test{stroke:var(--accent);stroke-width:2}
.curve .best{fill:var(--paper);stroke:var(--accent);stroke-width:2}
.cells{display:grid;grid-template-columns:repeat(auto-fit,minmax(340px,1fr));gap:16px;margin-top:14px}
.cells>figure{border:1px solid var(--line);border-radius:10px;padding:10px 12px;overflow-x:auto}
.cells svg{max-width:100%;height:auto}
details{margin-top:12px}summary{cursor:pointer;color:var(--accent);font-size:13px}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:12px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,monospace;background:var(--back);padding:10px 12px;border-radius:8px;margin:8px 0 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:5px 20px;margin:0;padding:18px 20px}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
ul{margin:0;padding:16px 20px 16px 38px}li{margin:2px 0}
footer{margin-top:40px;color:var(--faint);font-size:13px}
@media print{body{background:#fff}.line,.card,.sheet{break-inside:avoid}th:first-child{padding-left:16px}
th{position:static}}
)css";

}  // namespace

const char* ReportStyle() { return kStyle; }

}  // namespace pdarts::experiment
