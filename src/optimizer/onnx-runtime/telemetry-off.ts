/**
 * ONNX Runtime sends events about the machine and each model to its makers, and notes an identifier of the
 * machine on disk, unless it finds this variable when its library is loaded (since 1.29, outside of
 * Windows; `docs/Privacy.md` of ONNX Runtime). Nothing of a job leaves the machine, so it is not a setting.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
