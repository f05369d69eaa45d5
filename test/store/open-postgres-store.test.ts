import { describe, expect, it } from 'vitest';
import {
  checkDatabaseUrl,
  DatabaseUrlError,
  databaseName,
} from '#burnish/store/open-postgres-store.js';

describe('the URL of a database', () => {
  it('is shown without user and password', () => {
    const url = 'postgres://burnish:open%20sesame@db.example:5433/jobs?sslmode=require';
    expect(databaseName(url)).toBe('postgres://db.example:5433/jobs');
  });

  it.each(['jobs.db', 'mysql://root:open-sesame@db/jobs', ''])('refuses %j', (url) => {
    expect(() => checkDatabaseUrl(url)).toThrow(DatabaseUrlError);
    expect(() => checkDatabaseUrl(url)).toThrow(/^(?!.*sesame)/);
  });
});
