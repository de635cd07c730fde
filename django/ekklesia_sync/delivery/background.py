"""The delivery thread of a web process (DELIVERY = 'thread').

It starts after the first commit that wrote an event, and once a process at the first request, so that
what a killed process left is taken up. It ends when nothing is pending. A saving request only sets an
event; it never waits for the network. `manage.py deliver_member_events` from cron stays the safety net
for a server that is idle.
"""
import atexit
import logging
import os
import threading

from django.core.signals import request_started
from django.db import connections
from django.utils import timezone

from ekklesia_sync import conf
from ekklesia_sync.delivery import claims, worker
from ekklesia_sync.faults import fault_of
from ekklesia_sync.tracking.members import outbox_database
from ekklesia_sync.tracking.memo import outbox_committed

log = logging.getLogger('ekklesia_sync')

# Another process or a restored claim may make something due earlier than this one knows.
LONGEST_WAIT_SECONDS = 60
WAIT_AFTER_ERROR_SECONDS = 30
# What is due and cannot be had is claimed by another worker; it is looked at again, but not all the time.
SHORTEST_WAIT_SECONDS = 0.5
# How long the end of the process waits for the attempt under way, so that its outcome is written.
EXIT_SECONDS = 5


class DeliveryThread(object):
    def __init__(self):
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._thread = None
        self._pid = None
        self._stopping = False

    def wake(self):
        """Has the thread look for due events; starts it when there is none in this process."""
        with self._lock:
            if self._pid != os.getpid():
                # A forked server: the parent's thread does not run here, and its event may be half set.
                self._pid = os.getpid()
                self._wanted = threading.Event()
                self._thread = None
            self._wanted.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name='ekklesia-sync-delivery', daemon=True)
                self._thread.start()

    def join(self, timeout_seconds):
        """Waits for the thread to end; True when none runs any more."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(timeout_seconds)
        return thread is None or not thread.is_alive()

    def stop(self):
        """Ends the thread after the attempt under way; for the end of the process."""
        self._stopping = True
        self._wanted.set()
        self.join(EXIT_SECONDS)

    def _run(self):
        owner = worker.make_owner()
        while not self._stopping:
            self._wanted.clear()
            wait = self._pass(owner)
            if wait is None:
                with self._lock:
                    # Under the lock: a wake() that comes now finds either this thread looking again or none.
                    if not self._wanted.is_set():
                        self._thread = None
                        return
                continue
            self._wanted.wait(wait)

    def _pass(self, owner):
        """Delivers what is due; the seconds to wait for the next, or None when nothing is pending."""
        try:
            totals = worker.deliver_due(owner, lambda: self._stopping)
            due = claims.next_due_at(outbox_database())
            if due is None:
                return None
            wait = min(max((due - timezone.now()).total_seconds(), 0.0), LONGEST_WAIT_SECONDS)
            if totals.paused:
                return max(wait, conf.get('BACKOFF_SECONDS')[0])
            return max(wait, SHORTEST_WAIT_SECONDS)
        except Exception as error:  # noqa: B902  a thread that dies would stop delivery without a word
            log.error('delivery pass failed: %s', fault_of(error))
            return WAIT_AFTER_ERROR_SECONDS
        finally:
            # An idle thread must not hold one of the database's connections.
            connections.close_all()


_thread = DeliveryThread()


def wake(**kwargs):
    """Called after a commit that wrote an event."""
    if conf.get('DELIVERY') == 'thread' and conf.get('WEBHOOK_URL'):
        try:
            _thread.wake()
        except RuntimeError:
            # No thread to be had. The member is saved and the event is safe in the outbox.
            log.error('the delivery thread could not be started')


def join(timeout_seconds):
    return _thread.join(timeout_seconds)


def connect():
    atexit.register(_thread.stop)
    outbox_committed.connect(wake, dispatch_uid='ekklesia_sync:wake')
    request_started.connect(_first_request, weak=False, dispatch_uid='ekklesia_sync:first_request')


def _first_request(sender, **kwargs):
    if os.getpid() in _greeted:
        return
    _greeted.add(os.getpid())
    wake()


_greeted = set()
