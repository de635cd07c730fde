"""What the mirrors read: all kennitalas, pages of members, one member."""
import json

from django.http import StreamingHttpResponse
from django.utils import timezone
from rest_framework.response import Response

from ekklesia_sync import conf
from ekklesia_sync.api.base import SyncView, error
from ekklesia_sync.api.pages import PageError, parse_page, page_of
from ekklesia_sync.digests import members_without, sums_of_buckets
from ekklesia_sync.kennitala import without_hyphen
from ekklesia_sync.times import as_wire
from ekklesia_sync.tracking.members import outbox_database
from ekklesia_sync.wire import build_members, exported_members, find_member

# Kennitalas a piece of the stream: 15 KB, few writes and no memory to speak of.
PIECE = 1000


class KennitalasView(SyncView):
    """Every kennitala, placeholders included, streamed."""

    def get(self, request):
        return StreamingHttpResponse(_kennitalas_json(outbox_database()), content_type='application/json')


class MembersView(SyncView):
    def get(self, request):
        try:
            page = parse_page(request.query_params)
            answer, pks = page_of(page, request)
        except PageError as problem:
            return error(problem.status, str(problem))
        answer['results'] = build_members(pks, outbox_database())
        return Response(answer)


class DigestsView(SyncView):
    """Sums of the members' digests, 256 buckets. 409 while members from before the installation have none."""

    def get(self, request):
        using = outbox_database()
        missing = len(members_without(using))
        if missing:
            return error(409, '{} members have no digest yet: run manage.py make_member_digests'.format(missing))
        return Response(sums_of_buckets(using))


class MemberView(SyncView):
    def get(self, request, ssn):
        member = find_member(ssn, outbox_database())
        if member is None:
            return error(404, 'no such member')
        return Response(member)


def _kennitalas_json(using):
    """The list first and its count last: both come from one statement, so they agree however long the
    reading takes and whatever is written meanwhile. A failure on the way leaves JSON that nobody can
    parse, never a shorter list that looks whole."""
    yield '{{"exported_at": {}, "kennitalas": ['.format(json.dumps(as_wire(timezone.now())))
    path = conf.get('FIELDS')['ssn']
    rows = exported_members(using).order_by(path).values_list(path, flat=True)
    count, piece = 0, []
    for ssn in rows.iterator():
        piece.append((', ' if count else '') + json.dumps(without_hyphen(ssn)))
        count += 1
        if len(piece) == PIECE:
            yield ''.join(piece)
            piece = []
    yield ''.join(piece) + '], "count": {}}}'.format(count)
