# Makes the manual page: awk -v version=V -v date=D -f manual.awk HELP ioworkload.1
# HELP is what `ioworkload --help` prints. Its first paragraph takes the place of @SYNOPSIS@, its last, the exit codes,
# that of @EXITS@, and what is between that of @OPTIONS@.

function roff(text) {
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	return (text ~ /^[.']/ ? "\\&" : "") text "\n"
}

function entry(name, meaning) {
	return ".TP\n.B " roff(name) roff(meaning)
}

# "  --hold=MODE      wait before the scenario": two spaces or more are between an entry and what it means.
function line(text) {
	if (text == "") {
		paragraph = ".PP\n"
		return ""
	}
	if (!sub(/^(Usage:)? +/, "", text)) {
		text = paragraph roff(text)
		paragraph = ""
		return text
	}
	match(text, /  +/)
	return entry(substr(text, 1, RSTART - 1), substr(text, RSTART + RLENGTH))
}

# "0 as expected; 1 not; 2 usage."
function codes(text,    all, each, count, i) {
	sub(/[.]$/, "", text)
	count = split(text, all, "; ")
	for (i = 1; i <= count; i++) {
		match(all[i], / /)
		each = each entry(substr(all[i], 1, RSTART - 1), substr(all[i], RSTART + 1))
	}
	return each
}

FNR == NR && /^Usage: / { part = "synopsis" }
FNR == NR && /^$/ && part == "synopsis" { part = "options"; next }
FNR == NR && sub(/^Exit code: /, "") { part = "exits" }
FNR == NR && part == "exits" { exits = exits (exits ? " " : "") $0; next }
FNR == NR { text[part] = text[part] line($0); next }

/^@SYNOPSIS@$/ { printf "%s", text["synopsis"]; next }
/^@OPTIONS@$/ { printf "%s", text["options"]; next }
/^@EXITS@$/ { printf "%s", codes(exits); next }
{ gsub(/@VERSION@/, version); gsub(/@DATE@/, date); print }
