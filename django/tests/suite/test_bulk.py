from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase
from django.test.utils import CaptureQueriesContext

from ekklesia_sync import bulk
from ekklesia_sync.models import MemberSyncQueue, MemberVersion
from membership import models
from membership.kennitalas import make_kennitala
from suite.helpers import events, forget_events, make_full_member, make_member


class Costs(TransactionTestCase):
    def test_a_save_costs_fifteen_queries_more_at_most(self):
        """Lock, before, after, who counts, the kennitala, the row, its version; then the seven of the whole member, and the digest."""
        member = make_full_member(1)
        for row, extra in ((member, 15), (member.contact_info, 15)):
            forget_events()
            setattr(row, 'name' if row is member else 'email', 'x@example.is')
            with transaction.atomic(), CaptureQueriesContext(connection) as queries:
                row.save()
            # SQLite's write lock is an update of the row that never is.
            counted = [each for each in queries if '"id" = 0' not in each['sql']]
            self.assertEqual(MemberSyncQueue.objects.count(), 1)
            self.assertEqual(len(counted), 1 + extra)


class BulkHelpers(TestCase):
    def test_update_members_records_those_who_changed(self):
        one, two = make_member(1), make_member(2, reachable=True)
        forget_events()
        self.assertEqual(bulk.update_members(models.Comrade.objects.all(), reachable=True), 2)
        row, = MemberSyncQueue.objects.all()
        self.assertEqual((row.ssn, row.fields_changed), (one.ssn, {'reachable': True}))
        self.assertEqual(MemberVersion.objects.get(ssn=one.ssn).version, row.pk)
        self.assertNotEqual(MemberVersion.objects.get(ssn=two.ssn).version, row.pk)

    def test_update_members_refuses_the_kennitala(self):
        with self.assertRaises(ValueError):
            bulk.update_members(models.Comrade.objects.all(), ssn='x')

    def test_announce_created_and_updated(self):
        models.Comrade.objects.bulk_create([models.Comrade(ssn=make_kennitala(1), name='A')])
        self.assertEqual(events(), [])
        bulk.announce_created(models.Comrade.objects.all())
        self.assertEqual(events()[0][0], 'create')
        forget_events()
        bulk.announce_updated(models.Comrade.objects.all(), 'contact_info')
        self.assertEqual(events()[0][1]['contact_info']['email'], '')

    def test_a_fan_out_costs_the_same_number_of_queries_for_ten_and_sixty(self):
        for index in range(1, 71):
            make_member(index)
        pks = list(models.Comrade.objects.order_by('pk').values_list('pk', flat=True))
        few = self._queries(models.Comrade.objects.filter(pk__in=pks[:10]))
        many = self._queries(models.Comrade.objects.filter(pk__in=pks[10:]))
        self.assertEqual(few, many)
        self.assertEqual(MemberSyncQueue.objects.filter(action='update').count(), 70)

    def _queries(self, queryset):
        """The number of queries without the inserts, which SQLite sends in pieces."""
        with CaptureQueriesContext(connection) as captured:
            bulk.announce_updated(queryset, 'titles')
        return len([each for each in captured if not each['sql'].startswith('INSERT')])


class SilentKennitala(TransactionTestCase):
    def test_a_kennitala_changed_without_a_signal_does_not_lose_the_next_change(self):
        member = make_full_member(1)
        models.Comrade.objects.filter(pk=member.pk).update(ssn=make_kennitala(7))
        forget_events()
        contact = member.contact_info
        contact.email = 'nytt@example.is'
        contact.save()
        row, = MemberSyncQueue.objects.all()
        self.assertEqual(row.ssn, make_kennitala(7))
        self.assertEqual(MemberVersion.objects.get(ssn=make_kennitala(7)).version, row.pk)
