# A WordPress with a MariaDB of its own in the folder $1, on port $2 of loopback, until it is told to end. Says "ready PASSWORD…", the
# application passwords of the author "bien-tap", another author, an editor and a contributor, or what is wrong. Debian's packages, unchanged but for their configuration.
set -eu
folder="$1"
port="$2"
cd "$folder"
# Databases that start beside each other clear away what others keep in /tmp.
export HOME="$folder" TMPDIR="$folder" PATH="/usr/sbin:/usr/bin:/sbin:/bin"
servers=""
trap 'kill $servers 2>/dev/null || true; wait; exit 0' TERM
trap 'kill $servers 2>/dev/null || true' EXIT

mariadb-install-db --no-defaults --datadir="$folder/data" --auth-root-authentication-method=normal --skip-test-db >install.log 2>&1 ||
    { cat install.log; exit 1; }
mariadbd --no-defaults --datadir="$folder/data" --socket="$folder/db.sock" --pid-file="$folder/db.pid" --skip-networking \
    --innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=32M >db.log 2>&1 &
database=$!
servers="$database"
until mariadb --no-defaults --socket="$folder/db.sock" --user=root --execute='CREATE DATABASE wordpress CHARACTER SET utf8mb4' 2>/dev/null; do
    kill -0 "$database" 2>/dev/null || { cat db.log; exit 1; }
done

# Links are followed: Debian keeps parts of it elsewhere, and where a file really is decides what WordPress takes for its root. One of
# them may lead nowhere; what is really missing is heard of below.
mkdir site
cp -rL /usr/share/wordpress/. site/ 2>/dev/null || true
cat >site/wp-config.php <<END
<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:$folder/db.sock');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
// Application passwords want HTTPS, but for a site on one's own machine.
define('WP_ENVIRONMENT_TYPE', 'local');
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_HOME', 'http://127.0.0.1:$port');
define('WP_SITEURL', 'http://127.0.0.1:$port');
\$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
END
cat >install.php <<'END'
<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1';
$_SERVER['REQUEST_URI'] = '/';
function wp_mail() { return true; }
require __DIR__ . '/site/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Phường thử nghiệm', 'quan-tri', 'quan-tri@example.invalid', false, '', 'mat-khau-quan-tri');
update_option('permalink_structure', '/%postname%/');
$accounts = ['bien-tap' => 'author', 'tac-gia-hai' => 'author', 'truong-ban' => 'editor', 'cong-tac' => 'contributor'];
foreach ($accounts as $name => $role) {
    $account = wp_create_user($name, "mat-khau-cua-$name", "$name@example.invalid");
    (new WP_User($account))->set_role($role);
    list($password) = WP_Application_Passwords::create_new_application_password($account, ['name' => 'loa']);
    echo $password, ' ';
}
flush_rewrite_rules(false);
END
cat >permalinks.php <<'END'
<?php
$_SERVER['HTTP_HOST'] = '127.0.0.1';
$_SERVER['REQUEST_URI'] = '/';
require __DIR__ . '/site/wp-load.php';
update_option('permalink_structure', $argv[1]);
$wp_rewrite->init();
flush_rewrite_rules(false);
END
# What is no file is WordPress's, as any web server is told to do it.
cat >router.php <<'END'
<?php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path !== '/' && is_file($_SERVER['DOCUMENT_ROOT'] . $path)) return false;
$_SERVER['SCRIPT_NAME'] = '/index.php';
require $_SERVER['DOCUMENT_ROOT'] . '/index.php';
END
password=$(php -d display_errors=stderr install.php 2>php.log) || { cat php.log; exit 1; }
php -S "127.0.0.1:$port" -t site router.php >>php.log 2>&1 &
site=$!
servers="$database $site"
until php -r "exit(@fsockopen('127.0.0.1', $port) ? 0 : 1);"; do
    kill -0 "$site" 2>/dev/null || { cat php.log; exit 1; }
done
# Somebody else may have had the port before.
kill -0 "$site" 2>/dev/null || { cat php.log; exit 1; }
echo "ready $password"
wait
