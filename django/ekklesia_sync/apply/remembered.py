"""The first answer to each `change_id`.

A success is final: a repeat gets the same answer and writes nothing. A conflict is repeated for the same
request, and judged anew when the client sends other `expected` values under the same id. Errors wrote
nothing and are judged anew each time.
"""
import hashlib
import json

from ekklesia_sync.apply.errors import ChangeError
from ekklesia_sync.models import AppliedChange

SUCCESS, CONFLICT = 'success', 'conflict'


def request_hash(change):
    """What makes a request the same one, told without keeping its content."""
    content = {key: change.get(key) for key in ('kennitala', 'action', 'changes', 'expected')}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode('utf-8')).hexdigest()


def recall(change, using):
    """The first answer, or None. Raises ChangeError(change_id_reused) for other content under a success."""
    change_id = change.get('change_id')
    if not change_id:
        return None
    row = AppliedChange.objects.using(using).filter(change_id=change_id).first()
    if row is None:
        return None
    if row.request_hash == request_hash(change):
        return json.loads(row.answer_json)
    if row.status == SUCCESS:
        raise ChangeError('change_id_reused', 'this change_id was used for another change')
    row.delete(using=using)
    return None


def remember(change, answer, using):
    if change.get('change_id') and answer['status'] in (SUCCESS, CONFLICT):
        AppliedChange(
            change_id=change['change_id'], request_hash=request_hash(change), status=answer['status'],
            answer_json=json.dumps(answer, sort_keys=True)).save(using=using)
