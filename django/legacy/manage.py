#!/usr/bin/python3
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

if __name__ == '__main__':
    # The companion app, and what the other test registry shares: settings, numbers, the counting runner.
    sys.path[1:1] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), 'tests')]
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'old_registry.settings')
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
