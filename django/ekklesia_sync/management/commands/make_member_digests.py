from django.core.management.base import BaseCommand
from django.db import transaction

from ekklesia_sync.digests import CHUNK, keep_digests, members_without
from ekklesia_sync.models import MemberVersion
from ekklesia_sync.tracking.lock import begin_writing, lock_members
from ekklesia_sync.tracking.members import outbox_database, ssns_of
from ekklesia_sync.wire import shared_of


class Command(BaseCommand):
    help = ('Makes the digests of members who have none: once after the installation, and when MEMBER_FILTER lets in more. '
            'Writes no event. May run beside the server, and again.')

    def handle(self, *args, **options):
        using, made = outbox_database(), 0
        missing = members_without(using)
        for start in range(0, len(missing), CHUNK):
            with transaction.atomic(using=using):
                begin_writing(using)
                ssns = set(ssns_of(missing[start:start + CHUNK], using).values())
                lock_members(ssns, using)
                pks_by_ssn = shared_of(ssns, using)
                for ssn, pk in pks_by_ssn.items():
                    MemberVersion.objects.using(using).filter(ssn=ssn).update(django_id=pk)
                keep_digests(pks_by_ssn, using)
                made += len(pks_by_ssn)
        self.stdout.write('{} digests made'.format(made))
