import secrets
import sys

from flask import Flask, redirect, request, session

app = Flask(__name__)
app.secret_key = secrets.token_bytes(32)

FORM = '<form method="post" action="/login"><input name="user"><input type="password" name="password"></form>'


@app.get("/")
def home():
    user = session.get("user")
    return "hello stranger" if user is None else f"hello {user}"


@app.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "GET":
        return FORM
    if request.form["password"] != "right":
        return FORM
    session["user"] = request.form["user"]
    return redirect("/")


@app.post("/logout")
def logout():
    session.clear()
    return redirect("/")


app.run(port=int(sys.argv[1]))
