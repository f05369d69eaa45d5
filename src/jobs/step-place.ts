import type { StepNetwork, StepPlace } from '../executors/executor.js';
import { stepFolders } from '../executors/step-folders.js';
import { stepsOf } from '../service-model/techniques.js';
import type { JobRecord, JobRequest } from '../store/job-record.js';
import { type JobContext, jobFolder } from './job-context.js';
import { JobFailure } from './job-failure.js';

/** Where the files of a job's step are, counted from 0, and whose they are. */
export function stepPlace(context: JobContext, job: JobRecord, index: number): StepPlace {
  const step = stepsOf(job.request)[index];
  if (step === undefined) throw new JobFailure(`The job has no step ${index + 1}.`);
  return {
    job: job.name,
    step: index,
    folders: stepFolders(jobFolder(context, job), index),
    logFile: context.logs.fileOf(job.name, index, step.technique),
  };
}

/** What a job's VpcConfig asks for; undefined where it has none. */
export function networkOf(vpcConfig: JobRequest['VpcConfig']): StepNetwork | undefined {
  if (vpcConfig === undefined) return undefined;
  return { subnets: vpcConfig.Subnets, securityGroupIds: vpcConfig.SecurityGroupIds };
}
