import datetime

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ekklesia_sync.models import AppliedChange, MemberSyncQueue
from ekklesia_sync.tracking.members import outbox_database

FINISHED = (MemberSyncQueue.SYNCED, MemberSyncQueue.SUPERSEDED, MemberSyncQueue.CANCELLED)


class Command(BaseCommand):
    help = ('Deletes finished events and remembered answers that are older than --days. What is pending or failed '
            'stays, whatever its age; versions stay as well.')

    def add_arguments(self, parser):
        parser.add_argument('--days', type=int, default=30)

    def handle(self, *args, **options):
        if options['days'] < 1:
            raise CommandError('--days must be at least 1')
        using = outbox_database()
        before = timezone.now() - datetime.timedelta(days=options['days'])
        events, _ = MemberSyncQueue.objects.using(using).filter(
            sync_status__in=FINISHED, created_at__lt=before).delete()
        answers, _ = AppliedChange.objects.using(using).filter(created_at__lt=before).delete()
        self.stdout.write('{} events and {} answers deleted'.format(events, answers))
