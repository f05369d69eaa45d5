import { describe, expect, it } from 'vitest';
import { Progress, type ProgressEvent } from '#burnish/optimizer/progress.js';

function recorded() {
  const events: ProgressEvent[] = [];
  let time = 0;
  const progress = new Progress(
    (line) => events.push(JSON.parse(line) as ProgressEvent),
    () => time,
  );
  return {
    events,
    progress,
    pass: (milliseconds: number) => {
      time += milliseconds;
    },
  };
}

describe('Progress', () => {
  it('tells a few times a second at most, and always when a phase begins and ends', () => {
    const { events, progress, pass } = recorded();
    progress.begin('quantizing', { tensors: 1000, bytes: 1_000_000 });
    for (let tensor = 0; tensor < 1000; tensor += 1) {
      pass(1);
      progress.advance(1, 1000, `layer.${tensor}`);
    }
    expect(events).toHaveLength(1 + 4);
    expect(events.map(({ tensorsDone }) => tensorsDone)).toEqual([0, 250, 500, 750, 1000]);
    expect(events.at(-1)).toMatchObject({
      phase: 'quantizing',
      bytesDone: 1_000_000,
      bytesTotal: 1_000_000,
      layer: 'layer.999',
      bytesPerSecond: 1_000_000,
    });
    expect(events[0]).not.toHaveProperty('bytesPerSecond');
    expect(events[0]).not.toHaveProperty('layer');
  });

  it('counts each phase from nothing and adds its time up', () => {
    const { events, progress, pass } = recorded();
    progress.begin('reading', { tensors: 0, bytes: 0 });
    pass(500);
    progress.begin('copying', { tensors: 1, bytes: 5 });
    pass(250);
    progress.advance(1, 5);
    progress.begin('verifying', { tensors: 2, bytes: 9 });
    pass(1000);
    expect(progress.seconds()).toEqual({ reading: 0.5, copying: 0.25, verifying: 1 });
    expect(events.at(-1)).toMatchObject({ phase: 'verifying', tensorsDone: 0, bytesDone: 0 });
  });

  it('counts what was finished before as done, but not in its speed', () => {
    const { events, progress, pass } = recorded();
    progress.begin('sharding', { tensors: 3, bytes: 3000 });
    progress.skip(2, 2000);
    expect(events.at(-1)).toMatchObject({ tensorsDone: 2, bytesDone: 2000 });
    expect(events.at(-1)).not.toHaveProperty('bytesPerSecond');
    pass(2000);
    progress.advance(1, 1000);
    expect(events.at(-1)).toMatchObject({ bytesDone: 3000, bytesPerSecond: 500 });
    progress.seconds();
    expect(progress.speedOf('sharding')).toBe(500);
    expect(progress.speedOf('quantizing')).toBe(0);
  });
});
