"""A worker that acts on effects only while its release may. Python 3.9 or newer, nothing to install.

The controller is asked once a second by HTTP: POST /v1/services/NAME/grant. The leave counts from when it was asked for.
Unanswered is not allowed: without an answer the leave runs out, and none comes after it.

    SLUICE_TOKEN=... python3 worker.py --controller http://127.0.0.1:4400 --service support-rag --release r8

Five lines of JSON a second on standard output say whether it acts. Ends by SIGTERM or SIGINT.
"""
import argparse
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
import uuid

ANSWER_WITHIN_S = 3
# An effect that began with so little left could end after its leave.
MARGIN_S = 0.25


class Grant:
    """Asks for leave in a thread of its own. Ask `leave()` before each effect, and keep no answer."""

    def __init__(self, controller, service, release, role, token):
        self._url = f"{controller.rstrip('/')}/v1/services/{service}/grant"
        self._body = {"release": release, "role": role, "worker": str(uuid.uuid4())}
        self._token = token
        self._lock = threading.Lock()
        self._held = None  # (fencing token, when it ends by the monotonic clock)
        self._running = 0
        self._questions = 0
        self._stopped = threading.Event()
        self.reason = "the controller was not asked yet"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def leave(self):
        """The fencing token of a running leave, or None: it must not act."""
        with self._lock:
            if self._held is not None and time.monotonic() >= self._held[1] - MARGIN_S:
                self._held = None
                self.reason = "the leave ran out"
            return None if self._held is None else self._held[0]

    def act(self, effect):
        """Carries out effect(token) if it may; False when it must not. Its store refuses a lower token."""
        token = self.leave()
        if token is None:
            return False
        with self._lock:
            self._running += 1
        try:
            effect(token)
        finally:
            with self._lock:
                self._running -= 1
        return True

    def stop(self):
        """Says that it acts no more. Unheard, the leave runs out by itself."""
        self._stopped.set()
        self._thread.join()
        with self._lock:
            self._held = None
        try:
            self._ask(acting=False)
        except (OSError, ValueError):
            pass

    def _run(self):
        while not self._stopped.is_set():
            self._stopped.wait(self._ask_once())

    def _ask_once(self):
        """Seconds until it is to be asked again."""
        asked = time.monotonic()  # The leave counts from here: the answer may have been long on its way.
        was_acting = self.leave() is not None or self._running > 0
        try:
            answer = self._ask(acting=was_acting)
        except (OSError, ValueError) as error:  # URLError and timeouts are OSError
            if self.leave() is None:
                self.reason = f"the controller could not be asked: {error}"
            return 1.0
        with self._lock:
            until = asked + answer["expires_in_ms"] / 1000
            self._held = (answer["token"], until) if answer["acts"] else None
            self.reason = answer["reason"] or ""
            # Said at once, so that nobody waits for a leave on which this worker does not rely any more.
            if self._held is None and was_acting and self._running == 0:
                return 0
        return max(0.05, answer["ask_again_ms"] / 1000)

    def _ask(self, acting):
        self._questions += 1  # Grows, so that a question that is late on its way is known as such.
        body = {**self._body, "acting": acting, "question": self._questions}
        request = urllib.request.Request(
            self._url,
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json", "authorization": f"Bearer {self._token()}"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as response:
            return json.loads(response.read(65536))


def main():
    parser = argparse.ArgumentParser()
    for name in ("controller", "service", "release"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--role", choices=("producer", "consumer"), default="producer")
    options = parser.parse_args()
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    token = lambda: os.environ["SLUICE_TOKEN"]  # noqa: E731 - asked for each time, so that it may be replaced
    grant = Grant(options.controller, options.service, options.release, options.role, token)
    while not over.is_set():
        told = {"release": options.release, "acts": False, "token": None}

        def effect(fencing_token, told=told):
            # Yours: send a webhook, write a row. Give the token along; what it changes refuses a lower one.
            told.update(acts=True, token=fencing_token)

        grant.act(effect)
        print(json.dumps({**told, "reason": grant.reason}), flush=True)
        over.wait(0.2)
    grant.stop()


if __name__ == "__main__":
    main()
