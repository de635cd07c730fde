from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from ekklesia_sync.catch_up import changed_since, differing, vanished
from ekklesia_sync.delivery import background
from ekklesia_sync.models import MemberSyncQueue
from ekklesia_sync.times import try_parse
from ekklesia_sync.tracking.lock import begin_writing, lock_members
from ekklesia_sync.tracking.members import CHUNK, outbox_database, ssns_of
from ekklesia_sync.tracking.record import record_change, record_many
from ekklesia_sync.wire import exported_members


class Command(BaseCommand):
    help = ('Writes events for members that changed without one (raw SQL, QuerySet.update, before the installation). '
            'Without an option: for every member who differs from what was last delivered, and those who are gone.')

    def add_arguments(self, parser):
        group = parser.add_mutually_exclusive_group()
        group.add_argument('--all', action='store_true', help='every member, changed or not')
        group.add_argument('--since', help='members with an event since this ISO 8601 time with an offset')
        parser.add_argument('--dry-run', action='store_true', help='only count')

    def handle(self, *args, **options):
        using = outbox_database()
        if options['all']:
            pks, gone = list(exported_members(using).order_by('pk').values_list('pk', flat=True)), []
        elif options['since']:
            since = try_parse(options['since'])
            if since is None:
                raise CommandError('--since is not an ISO 8601 time with an offset, such as 2026-01-31T00:00:00Z')
            pks, gone = changed_since(since, using), []
        else:
            pks, gone = differing(using), vanished(using)
        if not options['dry_run']:
            self._write(pks, gone, using)
            background.wake()
        self.stdout.write('{} to update, {} to delete{}'.format(
            len(pks), len(gone), ' (dry run)' if options['dry_run'] else ''))

    def _write(self, pks, gone, using):
        for start in range(0, len(pks), CHUNK):
            with transaction.atomic(using=using):
                begin_writing(using)
                ssns = ssns_of(pks[start:start + CHUNK], using)
                lock_members(ssns.values(), using)
                # An empty map says: everything may have changed. The data is read at delivery.
                record_many([(ssn, pk, {}) for pk, ssn in sorted(ssns.items())], using)
        for ssn, django_id in gone:
            with transaction.atomic(using=using):
                begin_writing(using)
                lock_members([ssn], using)
                record_change(ssn, django_id, MemberSyncQueue.DELETE, {}, using)
