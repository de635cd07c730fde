"""A real server process: gunicorn on PostgreSQL, killed and started again in the middle of a burst."""
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from unittest import skipUnless

from django.db import connection
from django.test import TransactionTestCase

from ekklesia_sync.models import MemberSyncQueue
from membership.generate import generate
from membership.models import Comrade
from suite.helpers import SECRET, is_signed_by, make_client
from suite.receiver import Receiver

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@skipUnless(connection.vendor == 'postgresql' and importlib.util.find_spec('gunicorn'),
            'needs PostgreSQL and gunicorn')
class Server(TransactionTestCase):
    def setUp(self):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            self.port = free.getsockname()[1]
        self.process = None
        self.addCleanup(self.kill)

    def start(self):
        database = connection.settings_dict
        environment = dict(
            os.environ, REGISTRY_CONTROL='true', REGISTRY_DELIVERY='thread', REGISTRY_WEBHOOK_URL=self.receiver.url,
            REGISTRY_WEBHOOK_SECRETS=SECRET, REGISTRY_READ_TIMEOUT_SECONDS='1', REGISTRY_CLAIM_SECONDS='5',
            REGISTRY_BACKOFF_SECONDS='1,1,1,1,1,1,1,1,1', REGISTRY_LOG_LEVEL='CRITICAL',
            REGISTRY_DATABASE_URL='postgresql://{USER}@{HOST}:{PORT}/{NAME}'.format(**database))
        self.process = subprocess.Popen(
            [sys.executable, '-W', 'ignore', '-m', 'gunicorn', '--workers', '2', '--log-level', 'critical',
             '--bind', '127.0.0.1:{}'.format(self.port), '--chdir', TESTS, 'registry.wsgi'],
            env=environment, start_new_session=True)
        self.wait(self.answers, 'the server did not start')

    def kill(self):
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            self.process = None

    def answers(self):
        """Whether the server answers HTTP; an open port alone may still be the killed one's."""
        try:
            urllib.request.urlopen('http://127.0.0.1:{}/api/sync/status/'.format(self.port), timeout=5)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def control(self, action, **order):
        request = urllib.request.Request(
            'http://127.0.0.1:{}/control/{}/'.format(self.port, action), json.dumps(order).encode(), method='POST')
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read().decode())

    def wait(self, condition, message, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, message)
            time.sleep(0.05)

    def all_delivered(self):
        return not MemberSyncQueue.objects.filter(sync_status__in=MemberSyncQueue.OPEN).exists()

    def assert_portal_equals_registry(self):
        """What a portal that drops older versions holds after everything that came."""
        held = {}
        for request in list(self.receiver.requests):
            body = request['json']
            self.assertTrue(is_signed_by(SECRET, request['headers'], request['body']))
            if body['version'] > held.get(body['kennitala'], {'version': 0})['version']:
                held[body['kennitala']] = body
        names = {ssn: body['data']['name'] for ssn, body in held.items() if body['action'] != 'delete'}
        self.assertEqual(names, dict(Comrade.objects.filter(ssn__in=held).values_list('ssn', 'name')))
        return held

    def test_killed_in_the_middle_of_a_burst_it_delivers_everything_after_its_restart(self):
        generate(200, 1)
        self.start()
        burst = threading.Thread(target=self._burst_until_the_end)
        burst.start()
        self.wait(lambda: len(self.receiver.requests) >= 20, 'nothing was delivered')
        self.kill()
        burst.join(10)
        left = MemberSyncQueue.objects.filter(sync_status='pending').count()
        # Its first request, whatever it is, has it take up what was left.
        self.start()
        self.wait(self.all_delivered, 'not everything was delivered')
        self.assertGreater(left, 0)
        self.assert_portal_equals_registry()

    def test_a_receiver_that_is_down_for_a_while_misses_nothing(self):
        generate(60, 1)
        self.start()
        self.receiver.answer = lambda request: (503, {})
        self.control('burst', count=50)
        self.wait(lambda: len(self.receiver.requests) >= 3, 'nothing was tried')
        self.receiver.requests.clear()
        self.receiver.answer = lambda request: (200, {})
        self.wait(self.all_delivered, 'not everything was delivered')
        self.assertEqual(len(self.assert_portal_equals_registry()), 50)

    def test_an_edit_arrives_within_a_second_and_a_rolled_back_one_never(self):
        generate(5, 1)
        self.start()
        client = make_client()
        ssn = Comrade.objects.order_by('pk').values_list('ssn', flat=True)[0]
        self.control('rollback', ssn=ssn, email='aldrei@example.is')
        start = time.monotonic()
        self.control('edit', ssn=ssn, email='strax@example.is')
        self.wait(lambda: self.receiver.requests, 'nothing came', 5)
        self.assertLess(time.monotonic() - start, 1)
        self.wait(self.all_delivered, 'not everything was delivered')
        request, = self.receiver.requests
        self.assertEqual(request['json']['data']['contact_info']['email'], 'strax@example.is')
        self.assertEqual(client.get('/api/sync/status/').json()['pending'], 0)

    def _burst_until_the_end(self):
        try:
            self.control('burst', count=190)
        except OSError:
            pass
