import threading
import time
from unittest import skipUnless

from django.db import connection, transaction
from django.db.models.signals import post_save
from django.test import TransactionTestCase

from ekklesia_sync.models import MemberSyncQueue, MemberVersion
from membership import models
from suite.helpers import forget_events, make_full_member, make_member


def in_thread(function):
    """Runs the function on a connection of its own; `join` raises what it raised."""
    failures = []

    def run():
        try:
            function()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()

    def join():
        thread.join(30)
        if failures:
            raise failures[0]
        return not thread.is_alive()
    return join


@skipUnless(connection.vendor == 'postgresql', 'two writers at once need PostgreSQL')
class VersionOrder(TransactionTestCase):
    def test_the_later_version_is_the_later_commit(self):
        """A related row's change waits for the member's: the ids come out in the order of the commits."""
        member = make_full_member(1)
        forget_events()
        first_wrote, let_commit, order = threading.Event(), threading.Event(), []

        def first():
            with transaction.atomic():
                member.name = 'Fyrri'
                member.save()
                first_wrote.set()
                let_commit.wait(10)
            order.append('name')

        def second():
            first_wrote.wait(10)
            contact = models.ContactInfo.objects.get(pk=member.pk)
            contact.email = 'seinna@example.is'
            contact.save()
            order.append('email')

        joins = [in_thread(first), in_thread(second)]
        first_wrote.wait(10)
        self._wait_until(self._somebody_waits_for_a_lock)
        self.assertEqual(order, [])
        let_commit.set()
        for join in joins:
            self.assertTrue(join())
        rows = [sorted(row.fields_changed) for row in MemberSyncQueue.objects.order_by('id')]
        self.assertEqual(rows, [['name'], ['contact_info']])
        self.assertEqual(MemberVersion.objects.get().version, MemberSyncQueue.objects.latest('id').pk)

    def test_a_version_is_not_taken_while_an_earlier_one_is_under_way(self):
        """Between T1's row, which has its number, and T1's commit, T2 must not take a number and commit."""
        member = make_full_member(1)
        forget_events()
        has_number, committed = threading.Event(), []
        first_thread = []

        def pause(sender, **kwargs):
            if threading.current_thread() is first_thread[0]:
                has_number.set()
                self._wait_until(lambda: committed or self._somebody_waits_for_a_lock())

        def first():
            first_thread.append(threading.current_thread())
            member.name = 'Fyrri'
            member.save()
            committed.append('name')

        def second():
            has_number.wait(10)
            contact = models.ContactInfo.objects.get(pk=member.pk)
            contact.email = 'seinna@example.is'
            contact.save()
            committed.append('contact_info')

        post_save.connect(pause, sender=MemberSyncQueue)
        try:
            for join in [in_thread(first), in_thread(second)]:
                self.assertTrue(join())
        finally:
            post_save.disconnect(pause, sender=MemberSyncQueue)
        by_number = [list(row.fields_changed)[0] for row in MemberSyncQueue.objects.order_by('id')]
        self.assertEqual(by_number, committed)
        self.assertEqual(MemberVersion.objects.get().version, MemberSyncQueue.objects.latest('id').pk)

    def test_different_members_do_not_wait_for_each_other(self):
        one, two = make_member(1), make_member(2)
        with transaction.atomic():
            one.name = 'Opin'
            one.save()

            def other():
                other_member = models.Comrade.objects.get(pk=two.pk)
                other_member.name = 'Óháð'
                other_member.save()
            self.assertTrue(in_thread(other)())

    def test_many_writers_of_one_member_lose_nothing(self):
        member = make_full_member(1)
        forget_events()

        def edit(number):
            for round_ in range(10):
                contact = models.ContactInfo.objects.get(pk=member.pk)
                contact.facebook = 'f{}-{}'.format(number, round_)
                contact.save()
        for join in [in_thread(lambda number=number: edit(number)) for number in range(4)]:
            self.assertTrue(join())
        self.assertEqual(MemberSyncQueue.objects.count(), 40)
        newest = MemberSyncQueue.objects.latest('id')
        # The newest row says what the database holds: no older write committed after it.
        self.assertEqual(newest.fields_changed['contact_info']['facebook'],
                         models.ContactInfo.objects.get(pk=member.pk).facebook)

    def test_first_changes_of_an_unknown_member_at_once_do_not_fail(self):
        member = make_full_member(1)
        MemberVersion.objects.all().delete()
        barrier = threading.Barrier(4)

        def edit(number):
            contact = models.ContactInfo.objects.get(pk=member.pk)
            contact.facebook = str(number)
            barrier.wait(10)
            contact.save()
        for join in [in_thread(lambda number=number: edit(number)) for number in range(4)]:
            self.assertTrue(join())
        self.assertEqual(MemberVersion.objects.count(), 1)

    def test_writers_that_touch_the_tables_in_different_orders_do_not_deadlock(self):
        member = make_full_member(1)

        def own(number):
            row = models.Comrade.objects.get(pk=member.pk)
            row.name = 'Nafn {}'.format(number)
            row.save()

        def contact(number):
            row = models.ContactInfo.objects.get(pk=member.pk)
            row.facebook = 'f{}'.format(number)
            row.save()

        def titles(number):
            # One of the thread's own: two of old Django's add() of one title meet in its unique index.
            name = threading.current_thread().name
            title, _ = models.Title.objects.get_or_create(name=name)
            getattr(models.Comrade.objects.get(pk=member.pk).titles, 'remove' if number % 2 else 'add')(title)

        def edit(steps):
            for number in range(15):
                with transaction.atomic():
                    for step in steps:
                        step(number)
        orders = [(own, contact, titles), (titles, contact, own), (contact, own, titles), (contact, titles, own)]
        for join in [in_thread(lambda steps=steps: edit(steps)) for steps in orders]:
            self.assertTrue(join())

    def test_a_foreign_key_to_the_member_is_not_held_up(self):
        """The lock is on a table of ours: another table's insert checks its key on the member meanwhile."""
        member = make_full_member(1)
        title = models.Title.objects.create(name='Ný')
        with transaction.atomic():
            contact = member.contact_info
            contact.email = 'opid@example.is'
            contact.save()

            def insert():
                with connection.cursor() as cursor:
                    cursor.execute('INSERT INTO membership_title_comrades (comrade_id, title_id) VALUES (%s, %s)',
                                   [member.pk, title.pk])
            self.assertTrue(in_thread(insert)())

    def _somebody_waits_for_a_lock(self):
        with connection.cursor() as cursor:
            # A transaction sees the activity as it was when it first looked, until told to look again.
            cursor.execute('SELECT pg_stat_clear_snapshot()')
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                           "AND datname = current_database()")
            return cursor.fetchone()[0] > 0

    def _wait_until(self, condition):
        deadline = time.monotonic() + 10
        while not condition():
            self.assertLess(time.monotonic(), deadline, 'nothing happened')
            time.sleep(0.01)
