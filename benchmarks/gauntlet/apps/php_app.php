<?php
// Sessions as the manual of PHP shows them: session_start, session_regenerate_id at the login, session_destroy.
error_reporting(0);

// Ends the server at an instant of a request: its arrival, or before or after an operation of the store.
function instant() {
    static $left = null;
    $left ??= (int) ($_GET['cut'] ?? -1);
    if ($left-- === 0) {
        posix_kill(getmypid(), SIGKILL);
    }
}

// The store of files, with an instant before and after each operation.
class CutFiles extends SessionHandler {
    private function between($run) {
        instant();
        $result = $run();
        instant();
        return $result;
    }

    public function read($id): string|false {
        return $this->between(fn () => parent::read($id));
    }

    public function write($id, $data): bool {
        return $this->between(fn () => parent::write($id, $data));
    }

    public function destroy($id): bool {
        return $this->between(fn () => parent::destroy($id));
    }

    public function close(): bool {
        return $this->between(fn () => parent::close());
    }
}

if (isset($_GET['cut'])) {
    instant();
    session_set_save_handler(new CutFiles());
}
session_start();

function told() {
    $data = $_SESSION;
    unset($data['user']);
    header('content-type: application/json');
    echo json_encode(['user' => $_SESSION['user'] ?? null, 'data' => (object) $data, 'role' => $_SESSION['role'] ?? null]);
}

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/login' || $path === '/login-fails') {
    session_regenerate_id();
    $_SESSION['user'] = $_GET['user'];
    if ($_GET['user'] === 'olivia') {
        $_SESSION['role'] = file_exists(getenv('GAUNTLET_GATE') . '/olivia.demoted') ? 'member' : 'admin';
    }
    if ($path === '/login-fails') {
        throw new Exception('the handler failed');
    }
} elseif ($path === '/demote') {
    touch(getenv('GAUNTLET_GATE') . '/' . basename($_GET['user']) . '.demoted');
} elseif ($path === '/end-all') {
    header('content-type: application/json');
    echo json_encode(['user' => null, 'data' => ['canEndAll' => false]]);
    exit;
} elseif ($path === '/stream') {
    // A session that stays open keeps every other request of it waiting.
    session_write_close();
    header('content-type: text/event-stream');
    // The php.ini of Debian keeps 4096 bytes back.
    while (ob_get_level() > 0) {
        ob_end_flush();
    }
    while (!connection_aborted()) {
        echo "data: more\n\n";
        flush();
        usleep(20000);
    }
    exit;
} elseif ($path === '/logout') {
    $_SESSION = [];
    $params = session_get_cookie_params();
    setcookie(session_name(), '', time() - 42000, $params['path']);
    session_destroy();
} elseif ($path === '/write' || $path === '/slow-write') {
    if ($path === '/slow-write') {
        $gate = getenv('GAUNTLET_GATE') . '/' . $_GET['gate'];
        touch("$gate.arrived");
        while (!file_exists("$gate.go")) {
            clearstatcache();
            usleep(5000);
        }
    }
    $_SESSION[$_GET['key']] = $_GET['value'] ?? $_GET['key'];
}
told();
