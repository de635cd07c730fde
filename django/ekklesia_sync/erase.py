"""Erases what the app keeps of a person who is no longer a member: events, remembered answers, the version."""
from django.db import transaction

from ekklesia_sync.kennitala import spellings, without_hyphen
from ekklesia_sync.models import AppliedChange, MemberSyncQueue, MemberVersion
from ekklesia_sync.tracking.lock import begin_writing, lock_members
from ekklesia_sync.wire import find_member


class NotErasable(Exception):
    """Says why, without the number."""


def count_kept(ssn, using):
    """{what: rows} for a kennitala in either spelling."""
    return {name: rows.count() for name, rows in _kept(ssn, using)}


def erase_member(ssn, using):
    """Deletes the rows, and answers {what: rows}. Raises NotErasable, and then nothing was deleted.

    The version's row goes as well, although it orders a member's changes: versions come from the outbox's sequence,
    so a person who registers again gets a higher one than any before.
    """
    with transaction.atomic(using=using):
        begin_writing(using)
        # Before the lock, which adds a version's row for whoever has none.
        found = count_kept(ssn, using)
        # A change of this member that is about to commit is waited for, and then seen.
        lock_members([without_hyphen(ssn)], using)
        _assert_erasable(ssn, using)
        for _, rows in _kept(ssn, using):
            rows.delete()
        return found


def _assert_erasable(ssn, using):
    if find_member(ssn, using) is not None:
        raise NotErasable('this person is a member: delete the member first')
    waiting = _events(ssn, using).filter(sync_status__in=MemberSyncQueue.OPEN).count()
    if waiting:
        raise NotErasable(
            '{} events of this person are not delivered: run deliver_member_events, and retry or cancel dead letters '
            'in the admin'.format(waiting))


def _kept(ssn, using):
    return [
        ('events', _events(ssn, using)),
        ('answers', _answers(ssn, using)),
        ('versions', MemberVersion.objects.using(using).filter(ssn__in=spellings(ssn))),
    ]


def _events(ssn, using):
    return MemberSyncQueue.objects.using(using).filter(ssn__in=spellings(ssn))


def _answers(ssn, using):
    """An answer has its member's kennitala as `remember` wrote it: one key of a JSON text, without a hyphen."""
    return AppliedChange.objects.using(using).filter(answer_json__contains='"ssn": "{}"'.format(without_hyphen(ssn)))
