#!/bin/sh
# Unpacks into ROOM/root the newest package of a Debian suite that the package META depends on, and whose name begins with
# START: fetch.sh SUITE ROOM META START. By the machine's own apt, with everything of its own: nothing of the machine's
# is touched, nothing is installed.
set -eu
export LC_ALL=C
suite=$1 room=$2 meta=$3 start=$4
cd "$room"
mkdir -p lists/partial cache/archives/partial preferences sources

# The machine's own sources of Debian, with the suite replaced. The newest has neither updates nor security beside it.
here=$(. /etc/os-release && echo "$VERSION_CODENAME")
beside='\(\|-updates\|-security\)'
test "$suite" != sid || beside='\(\)'
keys=/usr/share/keyrings/debian-archive-keyring.gpg
apt-get update --print-uris |
	sed -n "s,^'\(.*\)/dists/$here$beside/InRelease'.*,deb [signed-by=$keys] \1 $suite\2 main,p" |
	sort -u >sources/debian.list
test -s sources/debian.list || { echo "apt-get has no source of Debian $here here: name a kernel's file instead" >&2; exit 1; }

# A mirror may stand still; a signature stays one. What describes programs for a software centre is half of all that
# would be fetched.
cat >apt.conf <<END
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$room/sources";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "$room/preferences";
Dir::State::Lists "$room/lists";
Dir::State::status "/dev/null";
Dir::Cache "$room/cache";
Acquire::Check-Valid-Until "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
END
export APT_CONFIG="$room/apt.conf"

unpack() {
	apt-get download -q "$1"
	dpkg-deb -x "$1"_*.deb root
}

apt-get update -q
package=$(apt-cache depends "$meta" | sed -n "s/^ *Depends: \($start.*\)/\1/p" | head -n 1)
unpack "${package:?$meta depends on none}"
# Where the package has only scripts, one of the same version has the kernel.
test "$start" != linux-image- || test -n "$(find root -name 'vmlinuz-*')" || unpack "linux-binary-${package#"$start"}"
