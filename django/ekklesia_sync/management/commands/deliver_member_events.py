import signal
import threading

from django.core.management.base import BaseCommand
from django.db import connections

from ekklesia_sync import conf
from ekklesia_sync.delivery.worker import deliver_due, make_owner


class Command(BaseCommand):
    help = 'Delivers the due member events to the webhook, once (for cron) or in a loop (for a service).'

    def add_arguments(self, parser):
        parser.add_argument('--loop', action='store_true', help='go on until SIGTERM or SIGINT')
        parser.add_argument('--interval', type=float, default=5.0, help='seconds between two passes of the loop')

    def handle(self, *args, **options):
        if not conf.get('WEBHOOK_URL'):
            self.stdout.write('WEBHOOK_URL is not set: nothing to deliver to.')
            return
        stop = threading.Event()
        owner = make_owner()
        if options['loop']:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        while True:
            totals = deliver_due(owner, stop.is_set)
            if not options['loop'] or totals.delivered or totals.retried or totals.refused:
                self.stdout.write('{} delivered, {} to be retried, {} refused{}'.format(
                    totals.delivered, totals.retried, totals.refused,
                    '; the receiver is away, the rest waits' if totals.paused else ''))
            if not options['loop']:
                return
            connections.close_all()
            if stop.wait(options['interval']):
                return
