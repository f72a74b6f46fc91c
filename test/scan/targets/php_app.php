<?php
// A small app on PHP's own sessions. TARGET=weak forgets what a login and a logout have to do.
$isWeak = getenv('TARGET') === 'weak';
session_start();
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$isPost = $_SERVER['REQUEST_METHOD'] === 'POST';
if ($path === '/login' && $isPost && ($_POST['password'] ?? '') === 'right') {
    if (!$isWeak) session_regenerate_id(true);
    $_SESSION['user'] = $_POST['user'];
    header('Location: /');
} elseif ($path === '/login') {
    echo '<form method="post" action="/login"><input name="user"><input type="password" name="password"></form>';
} elseif ($path === '/logout' && $isPost) {
    if (!$isWeak) session_destroy();
    setcookie(session_name(), '', 1, '/');
    header('Location: /');
} else {
    echo 'hello ' . htmlspecialchars($_SESSION['user'] ?? 'stranger');
}
