import logging
import os
import signal
import sys
import time

from flask import Flask, Response, jsonify, request, session

app = Flask(__name__)
app.secret_key = os.environ["GAUNTLET_SECRET"]
logging.getLogger("werkzeug").disabled = True


# Instant 0 is the arrival of a request, instant 1 the time between the login and its answer.
def instant(number):
    if request.args.get("cut") == str(number):
        os.kill(os.getpid(), signal.SIGKILL)


@app.before_request
def arrive():
    instant(0)


def told():
    data = {key: value for key, value in session.items() if key != "username"}
    return jsonify(user=session.get("username"), data=data, role=data.get("role"))


roles = {"olivia": "admin"}


@app.get("/me")
def me():
    return told()


@app.post("/login")
def login():
    session["username"] = request.args["user"]
    if request.args["user"] in roles:
        session["role"] = roles[request.args["user"]]
    instant(1)
    return told()


@app.post("/demote")
def demote():
    roles[request.args["user"]] = "member"
    return jsonify(user=None, data={})


@app.post("/end-all")
def end_all():
    return jsonify(user=None, data={"canEndAll": False})


@app.get("/stream")
def stream():
    session.get("username")

    def messages():
        while True:
            yield "data: more\n\n"
            time.sleep(0.02)

    return Response(messages(), mimetype="text/event-stream")


@app.post("/login-fails")
def login_fails():
    session["username"] = request.args["user"]
    raise RuntimeError("the handler failed")


@app.post("/logout")
def logout():
    session.pop("username", None)
    return jsonify(user=None, data={})


@app.post("/write")
def write():
    session[request.args["key"]] = request.args.get("value", request.args["key"])
    return told()


@app.post("/slow-write")
def slow_write():
    list(session.items())
    gate = os.path.join(os.environ["GAUNTLET_GATE"], request.args["gate"])
    open(f"{gate}.arrived", "w").close()
    while not os.path.exists(f"{gate}.go"):
        time.sleep(0.005)
    return write()


app.run(host="127.0.0.1", port=int(sys.argv[1]), threaded=True)
