import os
import secrets
import sys
import tempfile

import django
from django.conf import settings

settings.configure(
    SECRET_KEY=secrets.token_urlsafe(48),
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.path.join(tempfile.mkdtemp(), "db.sqlite3"),
        }
    },
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    USE_TZ=True,
)
django.setup()

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.urls import path


def form(request, action, fields):
    token = f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">'
    return f'<form method="post" action="{action}">{token}{fields}</form>'


LOGIN = '<input name="username"><input type="password" name="password">'


def home(request):
    user = request.user
    return HttpResponse(f"hello {user.username}" if user.is_authenticated else "hello stranger")


def enter(request):
    if request.method == "POST":
        user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
        if user is not None:
            login(request, user)
            return HttpResponseRedirect("/")
    return HttpResponse(form(request, "/login", LOGIN))


def leave(request):
    """Answers a GET with a page that asks again."""
    if request.method == "POST":
        logout(request)
        return HttpResponseRedirect("/")
    return HttpResponse(form(request, "", "Log out?"))


def stubborn(request):
    """Answers every logout with a page, and logs nobody out."""
    return HttpResponse("not now")


urlpatterns = [path("", home), path("login", enter), path("logout", leave), path("stubborn", stubborn)]

call_command("migrate", verbosity=0)
User.objects.create_user("anna", password="right")
call_command("runserver", f"127.0.0.1:{sys.argv[1]}", use_reloader=False, verbosity=0)
