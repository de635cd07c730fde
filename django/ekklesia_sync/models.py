import json
import uuid

from django.db import models
from django.utils import timezone


def make_webhook_id():
    """A `webhook-id`: random, because row ids start again when a registry is restored from a dump
    and the receiver would take the new events for repeats."""
    return 'msg_' + uuid.uuid4().hex


class JsonTextMixin(object):
    """`fields_changed` as a dict over a text column: the ORM's own JSON field came with Django 3.1."""

    @property
    def fields_changed(self):
        return json.loads(self.fields_changed_json or '{}')

    @fields_changed.setter
    def fields_changed(self, value):
        self.fields_changed_json = json.dumps(value, sort_keys=True, ensure_ascii=False)


class MemberSyncQueue(JsonTextMixin, models.Model):
    """The outbox: what changed, written in the transaction that changed it.

    The row's id is the member's version. States:

        pending ──▶ synced       the portal has it (a 2xx to the webhook, or mark-synced)
           │  ├───▶ superseded   a newer row of the same member carries it
           │  └───▶ cancelled    an operator's decision
           └──────▶ failed       dead letter: refused, or out of attempts; retry makes it pending
    """

    CREATE, UPDATE, DELETE = 'create', 'update', 'delete'
    ACTIONS = [(CREATE, 'create'), (UPDATE, 'update'), (DELETE, 'delete')]

    PENDING, SYNCED, FAILED = 'pending', 'synced', 'failed'
    SUPERSEDED, CANCELLED = 'superseded', 'cancelled'
    STATUSES = [
        (PENDING, 'pending'), (SYNCED, 'synced'), (FAILED, 'failed (dead letter)'),
        (SUPERSEDED, 'superseded'), (CANCELLED, 'cancelled'),
    ]
    # What the portal has not acknowledged and nobody gave up by hand.
    OPEN = (PENDING, FAILED)

    REGISTRY, TWO_WAY = 'registry', 'two-way'

    id = models.AutoField(primary_key=True)
    webhook_id = models.CharField(max_length=64, default=make_webhook_id, editable=False)
    ssn = models.CharField(max_length=20)
    django_id = models.BigIntegerField(null=True)
    action = models.CharField(max_length=10, choices=ACTIONS)
    fields_changed_json = models.TextField(default='{}')
    origin = models.CharField(max_length=10, default=REGISTRY)
    change_id = models.CharField(max_length=128, blank=True, default='')
    sync_status = models.CharField(max_length=10, choices=STATUSES, default=PENDING)
    created_at = models.DateTimeField(default=timezone.now)
    synced_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    # A code such as `http_503` or `timeout`; never the receiver's words, which could repeat personal data.
    last_error = models.CharField(max_length=64, blank=True, default='')
    superseded_by = models.IntegerField(null=True, blank=True)

    class Meta:
        verbose_name = 'member sync event'
        verbose_name_plural = 'member sync queue'
        ordering = ['id']
        indexes = [
            models.Index(fields=['sync_status', 'next_attempt_at'], name='ekklesia_queue_due'),
            models.Index(fields=['ssn', 'sync_status'], name='ekklesia_queue_ssn'),
        ]
        permissions = [
            ('use_sync_api', 'Can use the member sync API'),
            ('view_member_data', 'Can see personal data in the sync queue'),
        ]

    def __str__(self):
        return '{} {}'.format(self.action, self.pk)


class MemberVersion(models.Model):
    """One row a member (by kennitala): the newest version, the lock that orders versions, and the delivery claim.

    Keyed by kennitala and not by the member's primary key, because a member that is deleted and
    registered again is the same document in the portal. The row outlives the queue's clean-up.
    """

    id = models.AutoField(primary_key=True)
    ssn = models.CharField(max_length=20, unique=True)
    django_id = models.BigIntegerField(null=True, db_index=True)
    version = models.IntegerField(default=0)
    changed_at = models.DateTimeField(null=True, db_index=True)
    # SHA-256 of the member as it was last delivered; `enqueue_members` finds silent changes by it.
    delivered_hash = models.CharField(max_length=64, blank=True, default='')
    # Of the member as the transaction that made this version left it ('' for one who is gone or not shared), with what
    # the sums over many members add up: see digests.py.
    digest = models.CharField(max_length=64, blank=True, default='')
    bucket = models.SmallIntegerField(null=True)
    a = models.BigIntegerField(default=0)
    b = models.BigIntegerField(default=0)
    ka = models.BigIntegerField(default=0)
    kb = models.BigIntegerField(default=0)
    claimed_by = models.CharField(max_length=64, blank=True, default='')
    claim_expires_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        verbose_name = 'member version'

    def __str__(self):
        return 'version {}'.format(self.version)


class AppliedChange(models.Model):
    """The first answer to a portal change, by `change_id`, so that a repeat gets the same one."""

    id = models.AutoField(primary_key=True)
    change_id = models.CharField(max_length=128, unique=True)
    request_hash = models.CharField(max_length=64)
    status = models.CharField(max_length=10)
    answer_json = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name = 'applied change'

    def __str__(self):
        return self.change_id
