# Embeds the declarative specs of reproduce/ and the stored records of results/ that the binary compares with:
# pdarts_embed(TARGET NAME GLOB...) makes a source that defines `const base::EmbeddedFile kNAME[]`.
