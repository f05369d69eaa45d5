import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ObjectStoreError } from '../../../objects/errors.js';
import { forEachConcurrently } from '../../../objects/for-each-concurrently.js';
import { keyFault } from '../../../objects/names.js';
import {
  openS3EndpointStore,
  type S3EndpointStore,
} from '../../../objects/s3-endpoint-store/s3-endpoint-store.js';
import type { ObjectLocation } from '../../../objects/s3-uri.js';
import { REPORT_FILE } from '../../../optimizer/report/types.js';
import { ExecutorError, type StepPlace, type StepRequest } from '../../executor.js';
import { parseResultObjects, type ResultObject, writeResultObjects } from '../../step-objects.js';
import type { ObjectStorage } from '../kubernetes-options.js';
import {
  LIST_FILE,
  ORDER_FILE,
  type OrderPlace,
  RESULTS_FOLDER,
  type StepOrder,
} from './step-order.js';

/** The list of a result with far more files than any model has, and their names. */
const MAX_LIST_BYTES = 64 * 1024 ** 2;
/** A report of a model of 1,000 layers has a hundredth. */
const MAX_REPORT_BYTES = 64 * 1024 ** 2;
const REMOVALS_AT_ONCE = 8;

/**
 * The staging location, where pods and the service leave things for each other. The service reads and
 * writes there with its own credentials.
 */
export class StepStaging {
  #store: Promise<S3EndpointStore> | undefined;

  constructor(private readonly options: ObjectStorage) {}

  /** Leaves a step's order. @returns where its pod finds it */
  async hand(request: StepRequest): Promise<OrderPlace> {
    const { step, objects, technique, environment, deployment, image } = request;
    if (objects === undefined) {
      throw new ExecutorError('The model of the step is not in the object store.');
    }
    const { cores, memoryBytes } = request.resources ?? {};
    const order: StepOrder = {
      step,
      objects,
      // An image's settings may be secrets; they are in its environment alone.
      settings:
        image === undefined
          ? { technique, environment, deployment, cores, memoryBytes }
          : undefined,
    };
    const place = this.#placeOf(request);
    const folder = join(request.folders.temporary, 'order');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, ORDER_FILE.name), JSON.stringify(order));
    const store = await this.#open();
    await store.publishFolder(folder, { ...place, key: `${place.key}/${ORDER_FILE.folder}` });
    const { region, pathStyle, podEndpoint: endpoint } = this.options;
    return { ...place, endpoint, region, pathStyle };
  }

  /**
   * Notes what a step has left, in its folders, and brings its report there.
   *
   * @returns whether it has left a whole result
   * @throws ExecutorError for a list that is none, ObjectStoreError
   */
  async collect(step: StepPlace): Promise<boolean> {
    const store = await this.#open();
    const place = this.#placeOf(step);
    const files = await this.#list(store, place);
    if (files === undefined) return false;
    const report = files.find(({ name }) => name === REPORT_FILE);
    if (report !== undefined && report.size <= MAX_REPORT_BYTES) {
      await rm(join(step.folders.output, REPORT_FILE), { force: true });
      await store.stageObjects([report], step.folders.output);
    }
    await writeResultObjects(step.folders, files);
    return true;
  }

  /** Removes all that is there of a step. */
  async discard(step: StepPlace): Promise<void> {
    const store = await this.#open();
    const { bucket, key } = this.#placeOf(step);
    for (;;) {
      const { objects } = await store.list(bucket, { prefix: `${key}/` });
      if (objects.length === 0) return;
      await forEachConcurrently(objects, REMOVALS_AT_ONCE, (object) =>
        store.remove(bucket, object.key),
      );
    }
  }

  async #list(
    store: S3EndpointStore,
    { bucket, key }: ObjectLocation,
  ): Promise<readonly ResultObject[] | undefined> {
    try {
      const { info, body } = await store.read(
        bucket,
        `${key}/${LIST_FILE.folder}/${LIST_FILE.name}`,
      );
      if (info.size > MAX_LIST_BYTES) {
        body.destroy();
        throw new ExecutorError(`The list of the step’s result has ${info.size} bytes.`);
      }
      const files = parseResultObjects(await text(body));
      const results = `${key}/${RESULTS_FOLDER}/`;
      const odd = files.find(
        (file) =>
          file.bucket !== bucket ||
          !file.key.startsWith(results) ||
          keyFault(file.name) !== undefined,
      );
      if (odd === undefined) return files;
      throw new ExecutorError(`The list of the step’s result names ${odd.name}, which is no file.`);
    } catch (error) {
      if (error instanceof ObjectStoreError && error.code === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  /** The folder of a step: that of its job's attempt, and in it its own. */
  #placeOf({ step, folders }: Pick<StepPlace, 'step' | 'folders'>): ObjectLocation {
    const { bucket, key } = this.options.staging;
    const own = `${basename(dirname(folders.root))}/step-${step + 1}`;
    return { bucket, key: key === '' ? own : `${key}/${own}` };
  }

  #open(): Promise<S3EndpointStore> {
    const { endpoint, region, pathStyle } = this.options;
    this.#store ??= openS3EndpointStore({ endpoint, region, pathStyle });
    return this.#store;
  }
}
