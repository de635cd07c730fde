"""Applies one change of the portal.

    known change_id ──▶ the first answer
    current value = expected, or already = new ──▶ written ──▶ success
    otherwise ──▶ conflict, with what the registry holds
    not allowed or not valid ──▶ error

A change is written as a whole or not at all. Its own outbox row is marked `two-way`: the webhook that
follows carries the version that this answer names and content that the portal already has, so it writes
nothing there; it is what heals the portal if this answer is lost.
"""
import logging

from django.db import InterfaceError, OperationalError, transaction

from ekklesia_sync import conf
from ekklesia_sync.apply import remembered
from ekklesia_sync.apply.create import assert_create_allowed, create_member, split_create
from ekklesia_sync.apply.errors import ChangeError
from ekklesia_sync.apply.normalise import is_storable
from ekklesia_sync.apply.paths import WRITABLE_PATHS
from ekklesia_sync.apply.write import write_values
from ekklesia_sync.faults import fault_of
from ekklesia_sync.kennitala import LONGEST, spellings, without_hyphen
from ekklesia_sync.models import MemberSyncQueue, MemberVersion
from ekklesia_sync.times import as_wire
from ekklesia_sync.tracking.lock import begin_writing, lock_members
from ekklesia_sync.tracking.members import outbox_database
from ekklesia_sync.tracking.origin import two_way
from ekklesia_sync.wire import build_members, shared_of

log = logging.getLogger('ekklesia_sync')

# How far back to look for when a value was last changed.
ROWS_TO_SEARCH = 50


def apply_change(change):
    """The result for one `Change`. Only a fault of the database itself is raised: the client then repeats."""
    ssn = without_hyphen(change.get('kennitala')) if isinstance(change, dict) else ''
    # It stands in the answer, and a half of a character cannot be answered either.
    ssn = ssn if is_storable(ssn) else ''
    using = outbox_database()
    try:
        _assert_shape(change, ssn)
        with transaction.atomic(using=using), two_way(change.get('change_id') or ''):
            begin_writing(using)
            lock_members([ssn], using)
            answer = remembered.recall(change, using)
            if answer is None:
                answer = _apply(change, ssn, using)
                remembered.remember(change, answer, using)
            return answer
    except ChangeError as error:
        return {'ssn': ssn, 'status': 'error', 'code': error.code, 'message': str(error)}
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: B902  the registry's own code ran; one bad change must not stop the others
        log.error('a portal change failed in the registry: %s', fault_of(error))
        return {'ssn': ssn, 'status': 'error', 'code': 'internal', 'message': 'the registry failed on this change'}


def _apply(change, ssn, using):
    changes = change['changes']
    pk = _find_pk(ssn, using)
    if change.get('action', 'update') == 'create':
        assert_create_allowed()
        if pk is not None:
            raise ChangeError('already_exists', 'the registry has this member already')
        own, changes = split_create(changes)
        pk = create_member(ssn, own, using)
    elif pk is None:
        raise ChangeError('unknown_member', 'the registry has no such member')
    wanted = _checked(changes)
    member = (build_members([pk], using) or [None])[0]
    if member is None:
        raise ChangeError('unknown_member', 'the registry does not share this member')
    conflicts, differing = _compare(member, wanted, change.get('expected') or {})
    if conflicts:
        return _conflict(ssn, member, wanted, using)
    if differing:
        write_values(pk, member, {name: wanted[name] for name in differing}, using)
    version = MemberVersion.objects.using(using).values_list('version', flat=True).get(ssn=ssn)
    return {'ssn': ssn, 'status': remembered.SUCCESS, 'updated_fields': sorted(differing), 'version': version}


def _assert_shape(change, ssn):
    if not isinstance(change, dict) or not ssn:
        raise ChangeError('malformed', 'a change is a map with a kennitala')
    if len(ssn) > LONGEST:
        raise ChangeError('malformed', 'kennitala is too long')
    if not isinstance(change.get('changes'), dict) or not change['changes']:
        raise ChangeError('malformed', 'changes must be a map of paths')
    if not isinstance(change.get('expected') or {}, dict):
        raise ChangeError('malformed', 'expected must be a map of paths')
    change_id = change.get('change_id')
    if change_id is not None and not (isinstance(change_id, str) and len(change_id) <= 128 and is_storable(change_id)):
        raise ChangeError('malformed', 'change_id must be text of at most 128 characters, none of them a control')
    if change.get('action', 'update') not in ('create', 'update'):
        raise ChangeError('action_not_allowed', 'the portal can update members, not delete them')


def _checked(changes):
    """{path: stored form}. Raises ChangeError for a path that is not writable or a value that is not valid."""
    unknown = sorted(set(changes) - set(WRITABLE_PATHS))
    if unknown:
        raise ChangeError('unknown_path', 'not writable: {}'.format(', '.join(ascii(path)[1:-1][:64] for path in unknown)))
    wanted = {}
    for name, value in changes.items():
        path = WRITABLE_PATHS[name]
        stored = path.stored_form(value)
        path.check(name, stored)
        wanted[name] = stored
    return wanted


def _compare(member, wanted, expected):
    """(paths in conflict, paths to write). A path without an expected value is written unconditionally."""
    conflicts, differing = [], []
    for name, value in wanted.items():
        path = WRITABLE_PATHS[name]
        current = path.read(member)
        if _same(path, current, value):
            if current != value and path.section != 'addresses':
                differing.append(name)
            continue
        differing.append(name)
        if name in expected and not _same(path, current, expected[name]):
            conflicts.append(name)
    return conflicts, differing


def _same(path, left, right):
    try:
        return path.comparable_form(left) == path.comparable_form(right)
    except (AttributeError, TypeError):
        return False


def _conflict(ssn, member, wanted, using):
    paths = {name: WRITABLE_PATHS[name] for name in wanted}
    return {
        'ssn': ssn, 'status': remembered.CONFLICT, 'message': 'the registry holds another value than expected',
        'current': {name: path.read(member) for name, path in paths.items()},
        'changed_at': as_wire(_changed_at(ssn, paths.values(), using)),
        'version': member['version'],
    }


def _changed_at(ssn, paths, using):
    """When one of these paths last changed in the registry, or None when the outbox does not say."""
    rows = MemberSyncQueue.objects.using(using).filter(ssn=ssn).order_by('-id')[:ROWS_TO_SEARCH]
    for row in rows:
        if row.action == MemberSyncQueue.CREATE or any(path.touched_by(row.fields_changed) for path in paths):
            return row.created_at
    return None


def _find_pk(ssn, using):
    """Who is shared; else somebody whom the mirrors may not have, so that nobody is registered twice."""
    shared = shared_of([ssn], using)
    if ssn in shared:
        return shared[ssn]
    path = conf.get('FIELDS')['ssn']
    rows = conf.member_model()._base_manager.using(using).filter(**{path + '__in': spellings(ssn)})
    return rows.order_by('pk').values_list('pk', flat=True).first()
