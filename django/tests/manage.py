#!/usr/bin/python3
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

if __name__ == '__main__':
    sys.path.insert(0, os.path.dirname(HERE))
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'registry.settings')
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
