import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Answer } from './case.js';

export interface RecordedRequest {
  readonly target: string;
  readonly body: unknown;
}

export interface RecordingServer {
  /** Begins a recording; requests to its URL are answered in turn, the last answer again and again. */
  record(answers: readonly Answer[] | undefined): Recording;
  close(): Promise<void>;
}

export interface Recording {
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
}

const JOB_ARN = 'arn:aws:sagemaker:us-east-1:123456789012:optimization-job/job-1';

/** What a service would say that does as it is told; the rest answer with an empty body. */
const DEFAULT_ANSWERS: Readonly<Record<string, unknown>> = {
  'SageMaker.CreateOptimizationJob': { OptimizationJobArn: JOB_ARN },
  'SageMaker.ListOptimizationJobs': { OptimizationJobSummaries: [] },
  'SageMaker.AddTags': { Tags: [{ Key: 'a', Value: 'b' }] },
  'SageMaker.ListTags': { Tags: [] },
};

/** Stands in for the service: keeps what it is sent, apart for each URL that it gave out. */
export async function startRecordingServer(): Promise<RecordingServer> {
  const recordings = new Map<
    string,
    { requests: RecordedRequest[]; answers?: readonly Answer[] }
  >();
  const server = createServer(async (request, response) => {
    const [, key = ''] = (request.url ?? '').split('/');
    const recording = recordings.get(key);
    const target = String(request.headers['x-amz-target']);
    const body = await text(request);
    const index = recording?.requests.push({ target, body: JSON.parse(body) }) ?? 0;
    const answers = recording?.answers ?? [{ body: DEFAULT_ANSWERS[target] ?? {} }];
    const answer = answers[Math.min(index, answers.length) - 1];
    response.writeHead(answer?.status ?? 200, {
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': '00000000-0000-0000-0000-000000000000',
    });
    response.end(JSON.stringify(answer?.body ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    record(answers) {
      const key = String(recordings.size + 1);
      const requests: RecordedRequest[] = [];
      recordings.set(key, { requests, ...(answers && { answers }) });
      return { url: `http://127.0.0.1:${port}/${key}`, requests };
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
