import json
import os
import secrets
import signal
import sys
import time
from socketserver import ThreadingMixIn
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings

settings.configure(
    SECRET_KEY=os.environ["GAUNTLET_SECRET"],
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(os.environ["GAUNTLET_FOLDER"], "db.sqlite3")}
    },
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    SESSION_COOKIE_SECURE=True,
    USE_TZ=True,
)
django.setup()

from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import JsonResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.urls import path


def told(request):
    data = {key: value for key, value in request.session.items() if not key.startswith("_")}
    user = request.user.username if request.user.is_authenticated else None
    role = ("admin" if request.user.is_staff else "member") if user is not None else None
    return JsonResponse({"user": user, "data": data, "role": role})


def me(request):
    get_token(request)
    return told(request)


def enter(request):
    login(request, User.objects.get(username=request.GET["user"]))
    return told(request)


def enter_and_fail(request):
    login(request, User.objects.get(username=request.GET["user"]))
    raise RuntimeError("the handler failed")


def leave(request):
    logout(request)
    return JsonResponse({"user": None, "data": {}})


def write(request):
    request.session[request.GET["key"]] = request.GET.get("value", request.GET["key"])
    return told(request)


def hold(request):
    gate = os.path.join(os.environ["GAUNTLET_GATE"], request.GET["gate"])
    open(f"{gate}.arrived", "w").close()
    while not os.path.exists(f"{gate}.go"):
        time.sleep(0.005)


def slow_write(request):
    list(request.session.items())
    hold(request)
    return write(request)


def slow_login(request):
    login(request, User.objects.get(username=request.GET["user"]))
    hold(request)
    return told(request)


def demote(request):
    User.objects.filter(username=request.GET["user"]).update(is_staff=False)
    return JsonResponse({"user": None, "data": {}})


# A changed password ends every session of its user.
def end_all(request):
    user = User.objects.get(username=request.GET["user"])
    user.set_password(secrets.token_hex())
    user.save()
    return JsonResponse({"user": None, "data": {"canEndAll": True}})


def stream(request):
    bool(request.user.is_authenticated)

    def messages():
        while True:
            yield "data: more\n\n"
            time.sleep(0.02)

    return StreamingHttpResponse(messages(), content_type="text/event-stream")


urlpatterns = [
    path("me", me),
    path("login", enter),
    path("login-fails", enter_and_fail),
    path("logout", leave),
    path("write", write),
    path("slow-write", slow_write),
    path("slow-login", slow_login),
    path("demote", demote),
    path("end-all", end_all),
    path("stream", stream),
]

call_command("migrate", verbosity=0)
for name in ("alice", "bob", "mallory", "olivia"):
    User.objects.get_or_create(username=name, defaults={"is_staff": name == "olivia"})


# The server answers each request in a thread of its own. Only one request at a time is cut.
class Instants:
    def __init__(self, query):
        cut = parse_qs(query).get("cut")
        self.left = None if cut is None else int(cut[0])

    def pass_one(self):
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.left is not None:
            self.left -= 1

    def around(self, execute, *args):
        self.pass_one()
        result = execute(*args)
        self.pass_one()
        return result


# An instant is the arrival of a request, the time before or after a statement, or the time before the answer.
def cut(environ, start_response):
    instants = Instants(environ["QUERY_STRING"])
    instants.pass_one()
    with connection.execute_wrapper(instants.around):
        answer = application(environ, start_response)
    instants.pass_one()
    return answer


application = get_wsgi_application()


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


make_server("127.0.0.1", int(sys.argv[1]), cut, Server, Quiet).serve_forever()
