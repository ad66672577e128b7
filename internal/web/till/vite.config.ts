import { app } from '../kit/vite/app.ts';

export default app('till', { backend: 'http://127.0.0.1:7070', proxied: ['/v1'], offline: {} });
