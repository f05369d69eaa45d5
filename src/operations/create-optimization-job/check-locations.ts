import { ObjectStoreError } from '../../objects/errors.js';
import { InvalidS3UriError, isInside, type ObjectLocation } from '../../objects/s3-uri.js';
import { validationError } from '../../service-model/errors.js';
import type { OperationInput } from '../../service-model/operations.js';
import type { OperationContext } from '../operation-context.js';

type Locations = Pick<OperationContext, 'objects' | 'locate'>;

/**
 * Checks that the source is there, and that the output can be published without touching it or
 * anything else.
 * @throws ServiceError `ValidationException` that names the member and the URI
 */
export async function checkLocations(
  context: Locations,
  input: OperationInput<'CreateOptimizationJob'>,
): Promise<void> {
  const sourceUri = input.ModelSource.S3?.S3Uri ?? '';
  const outputUri = input.OutputConfig.S3OutputLocation;
  const source = locationOf(context, 'ModelSource.S3.S3Uri', sourceUri);
  const output = locationOf(context, 'OutputConfig.S3OutputLocation', outputUri);
  if (isInside(source, output)) {
    throw validationError(
      `OutputConfig.S3OutputLocation ${outputUri} is inside the model source ${sourceUri}. Choose a prefix outside of it.`,
    );
  }
  if (isInside(output, source)) {
    throw validationError(
      `The model source ${sourceUri} is inside OutputConfig.S3OutputLocation ${outputUri}. Choose another prefix for the output.`,
    );
  }
  await withMember('ModelSource.S3.S3Uri', sourceUri, async () => {
    if (await context.objects.exists(source)) return;
    await context.objects.headBucket(source.bucket);
    throw validationError(
      `ModelSource.S3.S3Uri: there is no object at ${sourceUri}. Give a prefix that holds a checkpoint, or a .tar.gz object.`,
    );
  });
  await withMember('OutputConfig.S3OutputLocation', outputUri, async () => {
    if (await context.objects.isEmpty(output)) return;
    throw validationError(
      `OutputConfig.S3OutputLocation: ${outputUri} holds objects already. Choose an empty prefix; a job never overwrites what is there.`,
    );
  });
}

function locationOf({ locate }: Locations, member: string, uri: string): ObjectLocation {
  try {
    return locate(uri);
  } catch (error) {
    if (error instanceof InvalidS3UriError) throw validationError(`${member}: ${error.message}`);
    throw error;
  }
}

/** Names the member and the URI in what the object store says no to. */
async function withMember(member: string, uri: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error;
    throw validationError(`${member}: ${uri}: ${error.message}`, { cause: error });
  }
}
