"""A webhook endpoint on real HTTP."""
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn

# ../../../contract/schemas/webhook-answer.json, and the form of a failure.
SUCCESS = {'success': True, 'result': 'applied', 'action': 'update', 'member': 'm_0123456789abcdef'}
FAILURE = {'error': 'No.', 'code': 'member_invalid'}


class Receiver(object):
    """A webhook endpoint. `answer(request)` gives (status, headers), or these and a body; else the body is what the function
    would say. `requests` keeps what came, in order."""

    def __init__(self, answer=lambda request: (200, {})):
        self.answer = answer
        self.requests = []
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                body = self.rfile.read(int(self.headers['content-length']))
                request = {'headers': dict(self.headers), 'body': body, 'json': json.loads(body.decode('utf-8'))}
                receiver.requests.append(request)
                status, headers, *own = receiver.answer(request)
                body = own[0] if own else json.dumps(SUCCESS if status == 200 else FAILURE).encode()
                self.send_response(status)
                for name, value in dict({'content-length': str(len(body))}, **headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                # A client waits for the rest of a body that its header promised, until the connection ends.
                self.close_connection = bool(own)

            def log_message(self, *args):
                pass

        class Server(ThreadingMixIn, HTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                # A sender that is killed drops its connection; anything else is a fault of the test.
                if not isinstance(sys.exc_info()[1], ConnectionError):
                    super().handle_error(request, client_address)

        self.server = Server(('127.0.0.1', 0), Handler)
        self.url = 'http://127.0.0.1:{}/syncFromDjango'.format(self.server.server_port)
        threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True).start()

    def hang(self, request):
        """An answer that does not come until the test releases it."""
        self.released.wait(30)
        return 200, {}

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
