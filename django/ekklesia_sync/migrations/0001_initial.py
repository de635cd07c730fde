import django.utils.timezone
from django.db import migrations, models

import ekklesia_sync.models


class Migration(migrations.Migration):

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name='MemberSyncQueue',
            fields=[
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('webhook_id', models.CharField(default=ekklesia_sync.models.make_webhook_id, editable=False, max_length=64)),
                ('ssn', models.CharField(max_length=20)),
                ('django_id', models.BigIntegerField(null=True)),
                ('action', models.CharField(choices=[('create', 'create'), ('update', 'update'), ('delete', 'delete')], max_length=10)),
                ('fields_changed_json', models.TextField(default='{}')),
                ('origin', models.CharField(default='registry', max_length=10)),
                ('change_id', models.CharField(blank=True, default='', max_length=128)),
                ('sync_status', models.CharField(choices=[('pending', 'pending'), ('synced', 'synced'), ('failed', 'failed (dead letter)'), ('superseded', 'superseded'), ('cancelled', 'cancelled')], default='pending', max_length=10)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('synced_at', models.DateTimeField(blank=True, null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_error', models.CharField(blank=True, default='', max_length=64)),
                ('superseded_by', models.IntegerField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'member sync event',
                'verbose_name_plural': 'member sync queue',
                'ordering': ['id'],
                'permissions': [
                    ('use_sync_api', 'Can use the member sync API'),
                    ('view_member_data', 'Can see personal data in the sync queue'),
                ],
            },
        ),
        migrations.CreateModel(
            name='MemberVersion',
            fields=[
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('ssn', models.CharField(max_length=20, unique=True)),
                ('django_id', models.BigIntegerField(db_index=True, null=True)),
                ('version', models.IntegerField(default=0)),
                ('changed_at', models.DateTimeField(db_index=True, null=True)),
                ('delivered_hash', models.CharField(blank=True, default='', max_length=64)),
                ('claimed_by', models.CharField(blank=True, default='', max_length=64)),
                ('claim_expires_at', models.DateTimeField(db_index=True, null=True)),
            ],
            options={
                'verbose_name': 'member version',
            },
        ),
        migrations.CreateModel(
            name='AppliedChange',
            fields=[
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('change_id', models.CharField(max_length=128, unique=True)),
                ('request_hash', models.CharField(max_length=64)),
                ('status', models.CharField(max_length=10)),
                ('answer_json', models.TextField()),
                ('created_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
            options={
                'verbose_name': 'applied change',
            },
        ),
        migrations.AddIndex(
            model_name='membersyncqueue',
            index=models.Index(fields=['sync_status', 'next_attempt_at'], name='ekklesia_queue_due'),
        ),
        migrations.AddIndex(
            model_name='membersyncqueue',
            index=models.Index(fields=['ssn', 'sync_status'], name='ekklesia_queue_ssn'),
        ),
    ]
