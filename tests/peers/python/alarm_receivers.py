"""Receivers of alarms and alerts that fail for a while: an HTTPS webhook that checks signatures with `standardwebhooks`, an SMTP server
(aiosmtpd) with STARTTLS and AUTH, and syslog over UDP, TCP and TLS. Arguments: a folder with cert.pem and key.pem, the webhook's
secret, how often webhook and mail fail first. Writes ports.json, then webhook.json, mail.json and syslog.json, a line for each message
it took, and refused.txt, a line for each it did not."""

import asyncio
import base64
import http.server
import json
import pathlib
import ssl
import sys
import threading

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from standardwebhooks import Webhook, WebhookVerificationError

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
        try:
            Webhook(secret).verify(body, dict(self.headers))
            good = True
        except WebhookVerificationError:
            good = False
        note("webhook.json", json.dumps({"good": good, "id": self.headers["webhook-id"], "body": json.loads(body)}))
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


class Datagrams(asyncio.DatagramProtocol):
    def datagram_received(self, data, _):
        note("syslog.json", json.dumps({"by": "udp", "line": data.decode()}))


def syslog(by):
    async def take(reader, writer):
        # Octet counting, as RFC 6587 and RFC 5425 say.
        while length := (await reader.readuntil(b" ") if not reader.at_eof() else b""):
            line = await reader.readexactly(int(length))
            note("syslog.json", json.dumps({"by": by, "line": line.decode()}))
            break
        writer.close()

    return take


async def main():
    def protocol():
        return SMTP(
            Mail(), tls_context=context(), require_starttls=True, auth_required=True, authenticator=login,
            loop=asyncio.get_running_loop(),
        )

    mail = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    loop = asyncio.get_running_loop()
    datagrams, _ = await loop.create_datagram_endpoint(Datagrams, local_addr=("127.0.0.1", 0))
    tcp = await asyncio.start_server(syslog("tcp"), "127.0.0.1", 0)
    tls = await asyncio.start_server(syslog("tls"), "127.0.0.1", 0, ssl=context())
    ports = {
        "webhook": hook.server_address[1], "mail": mail.sockets[0].getsockname()[1],
        "udp": datagrams.get_extra_info("sockname")[1], "tcp": tcp.sockets[0].getsockname()[1], "tls": tls.sockets[0].getsockname()[1],
    }
    (folder / "ports.new").write_text(json.dumps(ports))
    (folder / "ports.new").rename(folder / "ports.json")
    await mail.serve_forever()


asyncio.run(main())
