import re
import sys

from django.core.management.base import BaseCommand, CommandError

from ekklesia_sync.erase import NotErasable, count_kept, erase_member
from ekklesia_sync.kennitala import without_hyphen
from ekklesia_sync.tracking.members import outbox_database


class Command(BaseCommand):
    help = ('Erases what this app keeps of a person who is no longer a member: events, remembered answers, the version. '
            'Reads the kennitala from standard input: arguments end in the shell\'s history. Refuses while the person '
            'is a member or has undelivered events. Fails unless nothing is left.')
    # For the tests; the option itself cannot be given on a command line.
    stealth_options = ('stdin',)

    def add_arguments(self, parser):
        parser.add_argument('--check', action='store_true', help='only look: fail when something is kept')

    def handle(self, *args, **options):
        using = outbox_database()
        ssn = self._read(options.get('stdin') or sys.stdin)
        if not options['check']:
            try:
                erased = erase_member(ssn, using)
            except NotErasable as reason:
                raise CommandError('{}. Nothing was erased.'.format(reason))
            self.stdout.write('erased: {}'.format(_shown(erased)))
        left = count_kept(ssn, using)
        if any(left.values()):
            raise CommandError('left: {}'.format(_shown(left)))
        self.stdout.write('nothing is left')

    def _read(self, stdin):
        if stdin.isatty():
            self.stderr.write('Kennitala:')
        ssn = without_hyphen(stdin.readline())
        if not re.match(r'^[0-9]{10}$', ssn):
            raise CommandError('standard input: a kennitala, ten digits. Nothing was erased.')
        return ssn


def _shown(counts):
    return ', '.join('{} {}'.format(rows, name) for name, rows in sorted(counts.items()))
