/** `OptimizationJobName` is `optimization-job-name` on the command line, `S3Uri` is `s3-uri`. */
export function cliName(memberName: string): string {
  return memberName
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}
