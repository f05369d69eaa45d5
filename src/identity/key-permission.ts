import type { KeyAction } from '../objects/encrypted-files/object-keys.js';
import type { Permission } from './authorizer.js';

/** What policies are asked when somebody uses the key of an object, which they do by way of S3. */
export function keyPermission(action: KeyAction, keyArn: string, region: string): Permission {
  return {
    action,
    resource: keyArn,
    context: { 'kms:ViaService': `s3.${region}.amazonaws.com` },
  };
}
