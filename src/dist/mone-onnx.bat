@echo off
rem Runs mone-onnx from the folder that the archive was unpacked to.
setlocal
rem ONNX Runtime sends telemetry unless it is told not to before it is loaded.
set "ORT_DISABLE_TELEMETRY=1"
set "JAVA=java"
if defined JAVA_HOME set "JAVA=%JAVA_HOME%\bin\java"
"%JAVA%" -version >nul 2>&1
if errorlevel 1 (
  echo mone-onnx: there is no %JAVA%; expected Java 17 or later on the PATH or in JAVA_HOME>&2
  exit /b 4
)
"%JAVA%" -XX:+UseSerialGC -Xms96m --enable-native-access=ALL-UNNAMED -cp "%~dp0..\mone-onnx.jar" io.moneonnx.cli.Main %*
exit /b %ERRORLEVEL%
