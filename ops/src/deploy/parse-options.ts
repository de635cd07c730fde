import { InvalidArgumentError } from 'commander';

/** A project's id, not an alias of `.firebaserc`: `gcloud` knows no aliases. */
export const parseProject = (text: string): string => {
  if (!/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(text))
    throw new InvalidArgumentError('It takes the id of a project.');
  return text;
};

export const parseHttpUrl = (text: string): string => {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new InvalidArgumentError('It takes an http address.');
  }
  return text.replace(/\/+$/, '');
};

export const parsePositive = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It takes a number above 0.');
  return value;
};

export const parseEmail = (text: string): string => {
  if (!/^[^\s@,=]+@[^\s@,=]+\.[^\s@,=]+$/.test(text))
    throw new InvalidArgumentError('It takes one e-mail address.');
  return text;
};

export const parseTime = (text: string): Date => {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('It takes a time such as 2026-11-20T10:00Z.');
  return time;
};
