"""Keeps the member registry and the members' portal in step: export, outbox, webhook, apply."""
import django

__version__ = '0.1.0'

# Django 3.2 finds the AppConfig by itself and warns about this name; older ones need it.
if django.VERSION < (3, 2):
    default_app_config = 'ekklesia_sync.apps.EkklesiaSyncConfig'
