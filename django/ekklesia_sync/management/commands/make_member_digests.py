from django.core.management.base import BaseCommand
from django.db import transaction

from ekklesia_sync.digests import CHUNK, keep_digests, members_without
from ekklesia_sync.models import MemberVersion
from ekklesia_sync.tracking.lock import begin_writing, lock_members
from ekklesia_sync.tracking.members import outbox_database, ssns_of


class Command(BaseCommand):
    help = ('Makes the digests of members who have none: once after the installation, and when MEMBER_FILTER lets in more. '
            'Writes no event. May run beside the server, and again.')

    def handle(self, *args, **options):
        using, made = outbox_database(), 0
        while True:
            with transaction.atomic(using=using):
                begin_writing(using)
                pks = list(members_without(using)[:CHUNK])
                if not pks:
                    break
                pks_by_ssn = {ssn: pk for pk, ssn in ssns_of(pks, using).items()}
                lock_members(pks_by_ssn, using)
                for ssn, pk in pks_by_ssn.items():
                    MemberVersion.objects.using(using).filter(ssn=ssn).update(django_id=pk)
                keep_digests(pks_by_ssn, using)
                made += len(pks)
        self.stdout.write('{} digests made'.format(made))
