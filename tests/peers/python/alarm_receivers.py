"""Receivers of alarms that fail for a while: an HTTPS webhook that checks signatures as "Standard Webhooks" says, and an SMTP server
(aiosmtpd) with STARTTLS and AUTH. Arguments: a folder with cert.pem and key.pem, the webhook's secret, how often each fails first.
Writes ports.json, then webhook.json and mail.json, a line for each message it took, and refused.txt, a line for each it did not."""

import asyncio
import base64
import hashlib
import hmac
import http.server
import json
import pathlib
import ssl
import sys
import threading

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

folder, secret, failures = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
left = {"webhook": failures, "mail": failures}
writing = threading.Lock()


def note(name, line):
    with writing, open(folder / name, "a") as out:
        out.write(line + "\n")


def fails(kind):
    with writing:
        left[kind] -= 1
        failed = left[kind] >= 0
    if failed:
        note("refused.txt", kind)
    return failed


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if fails("webhook"):
            self.send_response(503)
            self.end_headers()
            return
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        good = hmac.compare_digest(expected, self.headers["webhook-signature"])
        note("webhook.json", json.dumps({"good": good, "body": json.loads(body)}))
        self.send_response(204 if good else 401)
        self.end_headers()

    def log_message(self, *_):
        pass


class Mail:
    async def handle_DATA(self, server, session, envelope):
        if fails("mail"):
            return "451 try again later"
        text = envelope.content.decode()
        head, body = text.split("\r\n\r\n", 1)
        line = {
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "head": head,
            "text": base64.b64decode(body).decode(), "tls": session.ssl is not None, "user": session.auth_data.login.decode(),
        }
        note("mail.json", json.dumps(line))
        return "250 OK"


def login(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.password == b"correct horse"
    return AuthResult(success=good, handled=False, auth_data=data)


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return made


hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
hook.socket = context().wrap_socket(hook.socket, server_side=True)
threading.Thread(target=hook.serve_forever, daemon=True).start()


async def main():
    def protocol():
        return SMTP(
            Mail(), tls_context=context(), require_starttls=True, auth_required=True, authenticator=login,
            loop=asyncio.get_running_loop(),
        )

    mail = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    ports = {"webhook": hook.server_address[1], "mail": mail.sockets[0].getsockname()[1]}
    (folder / "ports.new").write_text(json.dumps(ports))
    (folder / "ports.new").rename(folder / "ports.json")
    await mail.serve_forever()


asyncio.run(main())
