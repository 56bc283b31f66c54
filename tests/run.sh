#!/usr/bin/env bash
# Installs what the tests need (Debian, Ubuntu) and runs all of them.
# PostgreSQL, Chromium, espeak-ng, the encoders, Icecast, Liquidsoap, Snapcast, WordPress and the mail server are real here; a test whose program is missing fails and says what to install. To go without
# on purpose: LOA_TEST_WITHOUT=postgres,chromium,audio,icecast,liquidsoap,snapserver,wordpress,smtp bash tests/run.sh
set -euo pipefail
cd "$(dirname "$0")/.."

without() { case ",${LOA_TEST_WITHOUT:-}," in *",$1,"*) return 0 ;; *) return 1 ;; esac; }

packages=()
without postgres || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || packages+=(postgresql)
without chromium || command -v chromedriver >/dev/null || packages+=(chromium chromium-driver)
without chromium || fc-list 2>/dev/null | grep -qi noto || packages+=(fontconfig fonts-noto-core)
without audio || command -v espeak-ng >/dev/null || packages+=(espeak-ng)
without audio || command -v lame >/dev/null || packages+=(lame)
without audio || command -v opusenc >/dev/null || packages+=(opus-tools)
without icecast || command -v icecast2 >/dev/null || packages+=(icecast2)
without liquidsoap || command -v liquidsoap >/dev/null || packages+=(liquidsoap)
without snapserver || command -v snapserver >/dev/null || packages+=(snapserver)
without snapserver || command -v snapclient >/dev/null || packages+=(snapclient)
without smtp || /usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || packages+=(python3-aiosmtpd)
without wordpress || [ -e /usr/share/wordpress/wp-load.php ] || packages+=(wordpress)
without wordpress || command -v php >/dev/null || packages+=(php-cli)
without wordpress || php -m 2>/dev/null | grep -qx mysqli || packages+=(php-mysql)
without wordpress || [ -x /usr/sbin/mariadbd ] || packages+=(mariadb-server)
command -v cc >/dev/null || packages+=(build-essential)
command -v git >/dev/null || packages+=(git)
if [ "${#packages[@]}" -gt 0 ]; then
    sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    echo "installing: ${packages[*]}"
    "${sudo[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

# Snapshots that differ fail; they are not rewritten behind anybody's back.
INSTA_UPDATE=no cargo test --lib --bins --tests --locked "$@"
# The repository's own content has to be good.
cargo run --quiet --locked -- check
