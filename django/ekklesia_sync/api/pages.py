"""Pages of members in a stable order."""
import datetime
import re
from urllib.parse import urlencode

from ekklesia_sync import conf
from ekklesia_sync.digests import BUCKETS, summed_versions
from ekklesia_sync.models import MemberVersion
from ekklesia_sync.times import for_database, try_parse
from ekklesia_sync.tracking.members import outbox_database
from ekklesia_sync.wire import exported_members

PATH = '/api/members/'


class PageError(Exception):
    def __init__(self, status, message):
        super(PageError, self).__init__(message)
        self.status = status


class Page(object):
    def __init__(self, number, size, after, modified_since, bucket):
        self.number = number
        self.size = size
        self.after = after
        self.modified_since = modified_since
        self.bucket = bucket


def parse_page(params):
    """Raises PageError(400) that names the parameter and what is allowed."""
    number = _whole(params, 'page', 1, 1, None)
    size = _whole(params, 'page_size', conf.get('PAGE_SIZE'), 1, conf.get('MAX_PAGE_SIZE'))
    after = _whole(params, 'after', None, 0, None)
    bucket = _whole(params, 'bucket', None, 0, None)
    if bucket is not None and bucket >= BUCKETS:
        raise PageError(400, 'bucket must be a whole number below {}'.format(BUCKETS))
    since = None
    if params.get('modified_since'):
        since = try_parse(params['modified_since'])
        if since is None:
            raise PageError(400, 'modified_since must be an ISO 8601 time with an offset')
    return Page(number, size, after, since, bucket)


def page_of(page, request):
    """(the answer without its results, the primary keys of the page).

    `next` carries the last primary key, and the next page starts after it: a member deleted between two
    pages then moves nobody across the boundary. `page` alone works as well, by counting.
    """
    rows = _members(page)
    count = rows.count()
    if page.after is not None:
        ahead = rows.filter(pk__gt=page.after)
    else:
        start = (page.number - 1) * page.size
        if start >= count and page.number > 1:
            raise PageError(404, 'there is no page {}'.format(page.number))
        ahead = rows[start:]
    # One more than asked tells whether there is a next page.
    pks = list(ahead.values_list('pk', flat=True)[:page.size + 1])
    has_next = len(pks) > page.size
    pks = pks[:page.size]
    answer = {
        'count': count,
        'next': _link(request, page.number + 1, page, pks[-1]) if has_next else None,
        'previous': _link(request, page.number - 1, page, None) if page.number > 1 else None,
    }
    return answer, pks


def _members(page):
    using = outbox_database()
    rows = exported_members(using).order_by('pk')
    if page.bucket is not None:
        in_bucket = summed_versions(using).filter(bucket=page.bucket, django_id__isnull=False)
        rows = rows.filter(pk__in=in_bucket.values('django_id'))
    if page.modified_since is None:
        return rows
    # A change carries the time of its statement and is seen at its commit; the overlap covers that gap.
    overlap = datetime.timedelta(seconds=conf.get('MODIFIED_SINCE_OVERLAP_SECONDS'))
    changed = MemberVersion.objects.using(using).filter(
        changed_at__gte=for_database(page.modified_since - overlap), django_id__isnull=False)
    return rows.filter(pk__in=changed.values('django_id'))


def _link(request, number, page, after):
    params = [('page', number), ('page_size', page.size)]
    if after is not None:
        params.append(('after', after))
    if page.modified_since is not None:
        params.append(('modified_since', page.modified_since.isoformat()))
    if page.bucket is not None:
        params.append(('bucket', page.bucket))
    base = conf.get('PUBLIC_BASE_URL').rstrip('/')
    where = base + PATH if base else request.build_absolute_uri(request.path)
    return where + '?' + urlencode(params)


def _whole(params, name, default, lowest, highest):
    text = params.get(name)
    if text is None:
        return default
    # Not isdigit(): superscripts are digits, and no numbers.
    value = int(text) if re.match(r'[0-9]{1,15}\Z', text) else None
    if value is None or value < lowest:
        raise PageError(400, '{} must be a whole number from {}'.format(name, lowest))
    return min(value, highest) if highest else value
