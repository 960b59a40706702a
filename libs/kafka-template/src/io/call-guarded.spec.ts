import { callGuarded } from './call-guarded.js';

describe('callGuarded', () => {
  it('hands over what a callback throws, at once or by its promise', async () => {
    const heard: unknown[] = [];
    const now = new Error('now');
    const later = new Error('later');
    callGuarded(
      () => {
        throw now;
      },
      (error) => heard.push(error),
    );
    expect(heard).toEqual([now]);
    await new Promise<void>((done) => {
      callGuarded(
        () => Promise.reject(later),
        (error) => {
          heard.push(error);
          done();
        },
      );
    });
    expect(heard).toEqual([now, later]);
  });
});
