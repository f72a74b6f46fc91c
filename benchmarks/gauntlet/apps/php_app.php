<?php
// Sessions as the manual of PHP shows them: session_start, session_regenerate_id at the login, session_destroy.
error_reporting(0);
session_start();

function told() {
    $data = $_SESSION;
    unset($data['user']);
    header('content-type: application/json');
    echo json_encode(['user' => $_SESSION['user'] ?? null, 'data' => (object) $data]);
}

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/login' || $path === '/login-fails') {
    session_regenerate_id();
    $_SESSION['user'] = $_GET['user'];
    if ($path === '/login-fails') {
        throw new Exception('the handler failed');
    }
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
