from io import StringIO

from django.core.management import CommandError, call_command
from django.db import connection
from django.test import TransactionTestCase

from ekklesia_sync.models import AppliedChange, MemberSyncQueue, MemberVersion
from membership.kennitalas import make_kennitala
from membership.models import Comrade
from suite.helpers import make_client, make_full_member, make_member


def run(text, **options):
    out = StringIO()
    call_command('erase_member', stdin=StringIO(text), stdout=out, **options)
    return out.getvalue().strip().split('\n')


def deliver(*ssns):
    MemberSyncQueue.objects.filter(ssn__in=ssns).update(sync_status=MemberSyncQueue.SYNCED)


def apply_edit(client, ssn, change_id):
    change = {'change_id': change_id, 'kennitala': ssn, 'action': 'update',
              'changes': {'profile.email': 'nytt@example.is'}}
    answer = client.post('/api/sync/apply/', {'changes': [change]}, format='json').json()
    return answer['results'][0]['status']


def everything():
    """All rows as one text, for looking for a number."""
    return repr([list(model.objects.values()) for model in (MemberSyncQueue, AppliedChange, MemberVersion)])


class EraseMember(TransactionTestCase):
    def setUp(self):
        client = make_client()
        self.members = [make_full_member(index) for index in (1, 2)]
        self.ssn, self.other = [member.ssn for member in self.members]
        for ssn, change_id in ((self.ssn, 'a'), (self.other, 'b')):
            self.assertEqual(apply_edit(client, ssn, change_id), 'success')

    def leave(self):
        self.members[0].delete()
        deliver(self.ssn)

    def refused(self, text, reason, **options):
        before = everything()
        with self.assertRaises(CommandError) as caught:
            run(text, **options)
        self.assertIn(reason, str(caught.exception))
        self.assertNotIn(self.ssn, str(caught.exception))
        self.assertEqual(everything(), before)

    def test_what_is_no_kennitala_is_refused_and_not_repeated(self):
        for text in ('', '\n', '123\n', 'abc\n', self.ssn + '1\n', '{} {}\n'.format(self.ssn, self.other)):
            self.refused(text, 'ten digits')

    def test_a_member_is_refused(self):
        deliver(self.ssn)
        self.refused(self.ssn, 'is a member')

    def test_undelivered_events_and_dead_letters_are_refused(self):
        self.members[0].delete()
        self.refused(self.ssn, 'not delivered')
        MemberSyncQueue.objects.filter(ssn=self.ssn).update(sync_status=MemberSyncQueue.FAILED)
        self.refused(self.ssn, 'not delivered')
        MemberSyncQueue.objects.filter(ssn=self.ssn).update(sync_status=MemberSyncQueue.CANCELLED)
        self.assertEqual(run(self.ssn)[-1], 'nothing is left')

    def test_everything_of_one_person_goes_and_nothing_of_another(self):
        self.leave()
        count = MemberSyncQueue.objects.filter(ssn=self.ssn).count()
        others = MemberSyncQueue.objects.filter(ssn=self.other).count()
        self.assertGreater(count, 1)
        self.assertEqual(run(self.ssn), ['erased: 1 answers, {} events, 1 versions'.format(count), 'nothing is left'])
        self.assertNotIn(self.ssn, everything())
        self.assertEqual(MemberSyncQueue.objects.filter(ssn=self.other).count(), others)
        self.assertEqual(AppliedChange.objects.count(), 1)
        self.assertEqual(list(MemberVersion.objects.values_list('ssn', flat=True)), [self.other])

    def test_either_spelling_is_read_and_found(self):
        self.leave()
        MemberSyncQueue.objects.filter(ssn=self.ssn).update(ssn='{}-{}'.format(self.ssn[:6], self.ssn[6:]))
        self.assertEqual(run('  {}-{}\n'.format(self.ssn[:6], self.ssn[6:]))[-1], 'nothing is left')
        self.assertNotIn(self.ssn[:6] + '-', everything())

    def test_it_can_be_repeated_and_leaves_nothing_for_a_stranger(self):
        self.leave()
        run(self.ssn)
        before = everything()
        for ssn in (self.ssn, make_kennitala(99)):
            self.assertEqual(run(ssn), ['erased: 0 answers, 0 events, 0 versions', 'nothing is left'])
        self.assertEqual(everything(), before)

    def test_check_only_looks_and_fails_while_something_is_kept(self):
        self.leave()
        self.refused(self.ssn, 'left: 1 answers', check=True)
        run(self.ssn)
        self.assertEqual(run(self.ssn, check=True), ['nothing is left'])

    def test_the_number_is_no_argument(self):
        with self.assertRaises(CommandError):
            call_command('erase_member', self.ssn)

    def test_who_registers_again_gets_a_higher_version(self):
        self.leave()
        newest = MemberSyncQueue.objects.order_by('-id').first().pk
        run(self.ssn)
        make_member(1)
        self.assertGreater(MemberVersion.objects.get(ssn=self.ssn).version, newest)


class EraseNewest(TransactionTestCase):
    def test_the_sequence_does_not_start_again_when_the_newest_events_are_erased(self):
        member = make_member(1)
        ssn = member.ssn
        member.delete()
        newest = MemberSyncQueue.objects.order_by('-id').first().pk
        deliver(ssn)
        run(ssn)
        self.assertEqual(MemberSyncQueue.objects.count(), 0)
        make_member(1)
        self.assertGreater(MemberSyncQueue.objects.get(ssn=ssn).pk, newest, connection.vendor)

    def test_it_leaves_nothing_to_announce(self):
        member = make_member(1)
        MemberVersion.objects.update(delivered_hash='x' * 64)
        Comrade.objects.filter(pk=member.pk)._raw_delete('default')
        deliver(member.ssn)
        run(member.ssn)
        out = StringIO()
        call_command('enqueue_members', stdout=out)
        self.assertEqual(out.getvalue().strip(), '0 to update, 0 to delete')
