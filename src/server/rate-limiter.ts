/** A caller asks more often than it may. */
export class RateExceededError extends Error {
  override readonly name = 'RateExceededError';

  constructor() {
    super('Rate exceeded');
  }
}

interface Bucket {
  tokens: number;
  /** Milliseconds of a monotonic clock. */
  filledAt: number;
}

/** Callers that are kept in mind; whoever was away longest is forgotten, and begins with a full bucket. */
const MAX_CALLERS = 10_000;

/** A token bucket for each caller: so many requests a second, and so many at once after a pause. */
export class RateLimiter {
  private readonly buckets = new Map<string, Bucket>();

  /**
   * @param perSecond requests a second that a caller may go on with
   * @param burst requests that it may send at once
   */
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** @throws RateExceededError */
  take(caller: string): void {
    const now = this.clock();
    const bucket = this.buckets.get(caller) ?? { tokens: this.burst, filledAt: now };
    const gained = ((now - bucket.filledAt) / 1000) * this.perSecond;
    bucket.tokens = Math.min(this.burst, bucket.tokens + gained);
    bucket.filledAt = now;
    // Set anew, so that the map is in the order of last use.
    this.buckets.delete(caller);
    this.buckets.set(caller, bucket);
    const oldest = this.buckets.keys().next();
    if (this.buckets.size > MAX_CALLERS && oldest.done !== true) this.buckets.delete(oldest.value);
    if (bucket.tokens < 1) throw new RateExceededError();
    bucket.tokens -= 1;
  }
}
