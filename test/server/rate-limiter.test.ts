import { describe, expect, it } from 'vitest';
import { RateExceededError, RateLimiter } from '#burnish/server/rate-limiter.js';

describe('the rate limiter', () => {
  it('lets a burst through, then the rate, for each caller by itself', () => {
    let now = 0;
    const limiter = new RateLimiter(10, 3, () => now);
    for (let count = 0; count < 3; count += 1) limiter.take('a');
    expect(() => limiter.take('a')).toThrow(RateExceededError);
    limiter.take('b');
    now = 99;
    expect(() => limiter.take('a')).toThrow(RateExceededError);
    now = 101;
    limiter.take('a');
    expect(() => limiter.take('a')).toThrow(RateExceededError);
    now = 60_000;
    for (let count = 0; count < 3; count += 1) limiter.take('a');
    expect(() => limiter.take('a')).toThrow(RateExceededError);
  });
});
