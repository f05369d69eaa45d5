/** ONNX Runtime as the optimizer uses it. Every file imports it from here, since what goes before its first
 * loading decides whether it keeps to itself. */
import './telemetry-off.js';

export * from 'onnxruntime-node';
