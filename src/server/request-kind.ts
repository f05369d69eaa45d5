import type { IncomingMessage } from 'node:http';

type Head = Pick<IncomingMessage, 'method' | 'url' | 'headers'>;

const FORM = 'application/x-www-form-urlencoded';

/** The service that a request claims to be signed for; undefined when it isn't signed. */
export function signedService({ headers, url = '' }: Head): string | undefined {
  const inHeader = /Credential=[^/]*\/[^/]*\/[^/]*\/([^/]*)\//.exec(headers.authorization ?? '');
  if (inHeader !== null) return inHeader[1];
  const inQuery =
    /[?&]X-Amz-Credential=[^/&%]*(?:%2F|\/)[^/&%]*(?:%2F|\/)[^/&%]*(?:%2F|\/)([^/&%]*)/i;
  return inQuery.exec(url)?.[1];
}

/** Whether a request is for the Security Token Service: signed for it, or an unsigned form. */
export function isStsRequest(head: Head): boolean {
  const service = signedService(head);
  if (service !== undefined) return service === 'sts';
  const isForm = (head.headers['content-type'] ?? '').toLowerCase().startsWith(FORM);
  return (
    isForm &&
    head.method === 'POST' &&
    head.headers['x-amz-target'] === undefined &&
    (head.url ?? '/').split('?', 1)[0] === '/'
  );
}
