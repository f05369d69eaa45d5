// What benchmarks share: medians, a line about the machine, whole processes with their peak memory.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** One line on what the numbers were measured on. */
export function machine() {
  const memory = `${(totalmem() / 1e9).toFixed(0)} GB`;
  return `${cpus()[0]?.model.trim()}, ${availableParallelism()} threads, ${memory}, Node ${process.version}`;
}

/** Runs a program to its end; seconds by the clock, and the peak resident bytes of the process with those
 * that it starts. */
export function timeProcess(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(command, args, { stdio: 'ignore', ...options });
    let peakBytes = 0;
    const sample = setInterval(() => {
      peakBytes = Math.max(peakBytes, peakOf(child.pid), residentOf(child.pid));
    }, 5);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearInterval(sample);
      const seconds = (performance.now() - began) / 1000;
      if (code === 0) resolve({ seconds, peakBytes });
      else reject(new Error(`${command} ended with status ${code}`));
    });
  });
}

/** Resident bytes of a process and all that it started. */
function residentOf(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const own = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
    return children.filter(Boolean).reduce((sum, child) => sum + residentOf(child), own);
  } catch {
    return 0;
  }
}

/** VmHWM, which the kernel keeps as the highest resident size so far. */
function peakOf(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
