/**
 * Loaded in the process of a function before everything else: profiles it between the bytes `start` and `stop` of whoever
 * listens at `BENCH_PROFILE_PORT`, and sends the profile back as JSON.
 */
import { Session } from 'node:inspector/promises';
import { connect } from 'node:net';

if (process.env['FUNCTION_TARGET'] !== undefined) {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 200 });
  const socket = connect(Number(process.env['BENCH_PROFILE_PORT']), '127.0.0.1');
  socket.unref();
  socket.on('data', async (word) => {
    if (word.toString() === 'start') return void (await session.post('Profiler.start'));
    const { profile } = await session.post('Profiler.stop');
    socket.end(JSON.stringify(profile));
  });
}
