@echo off
rem Runs Gatun's command line. Builds it first where there is no build yet or a source is newer than it.
setlocal
set "ROOT=%~dp0"
set "BUILD=%ROOT%target\gatun"

set "JDK="
if defined JAVA_HOME call :try "%JAVA_HOME%"
for %%j in (java.exe) do if not "%%~$PATH:j"=="" call :try "%%~dp$PATH:j.."
for /d %%d in ("%ProgramFiles%\Java\*" "%ProgramFiles%\Eclipse Adoptium\*" "%ProgramFiles%\Microsoft\*" "%ProgramFiles%\Zulu\*" "%ProgramFiles%\Amazon Corretto\*" "%ProgramFiles%\BellSoft\*" "%USERPROFILE%\.jdks\*") do call :try "%%~d"
if not defined JDK (
  echo no JDK 25 found in JAVA_HOME, on the PATH or in the usual folders: install one, for example from https://adoptium.net 1>&2
  exit /b 1
)

call :stale
if errorlevel 1 (
  call :build
  if errorlevel 1 exit /b 1
)
set /p APP=<"%BUILD%\current"
rem Everything is on the class path, the only place where libtorch's jar can be; so all of it is ALL-UNNAMED.
set "YOUNG=-Xmn24m"
rem What a server's requests leave shall be collected young.
if "%~1"=="serve" set "YOUNG=-Xmn192m -XX:SurvivorRatio=2"
"%JDK%\bin\java.exe" -XX:+UseSerialGC %YOUNG% --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED --illegal-native-access=deny -Dgatun.root="%ROOT%" -cp "%BUILD%\%APP%\*" dev.gatun.cli.Main %*
exit /b %ERRORLEVEL%

rem Sets JDK to folder %1 where that is the home of a JDK 25 or newer and none was found before.
:try
if defined JDK exit /b 0
if not exist "%~1\bin\javac.exe" exit /b 0
findstr /r /c:"^JAVA_VERSION=.2[5-9]" /c:"^JAVA_VERSION=.[3-9][0-9]" "%~1\release" >nul 2>nul && set "JDK=%~1"
exit /b 0

rem Fails where the last build lacks or is older than one of its sources.
:stale
if not exist "%BUILD%\current" exit /b 1
powershell -NoProfile -Command "$t = (Get-Item '%BUILD%\current').LastWriteTime; $f = Get-ChildItem -Recurse -Path '%ROOT%pom.xml', '%ROOT%.mvn', '%ROOT%*\pom.xml', '%ROOT%*\src\main'; if ($f | Where-Object { $_.LastWriteTime -gt $t } | Select-Object -First 1) { exit 1 }"
exit /b %ERRORLEVEL%

rem Builds into a new folder, so that a Gatun that is running keeps the jars it was started with.
:build
if not exist "%BUILD%" mkdir "%BUILD%"
mkdir "%BUILD%\lock" 2>nul
if errorlevel 1 (
  echo another build of Gatun is running; if none is, delete %BUILD%\lock 1>&2
  exit /b 1
)
echo building Gatun (about a minute) ... 1>&2
set "NEW=app-%RANDOM%%RANDOM%"
>"%BUILD%\next" echo %NEW%
if exist "%ROOT%cli\target\quick\lib" rmdir /s /q "%ROOT%cli\target\quick\lib"
pushd "%ROOT%"
set "JAVA_HOME=%JDK%"
call mvnw.cmd --quiet --batch-mode -Dquick -pl cli -am package 1>&2
set "RESULT=%ERRORLEVEL%"
popd
if "%RESULT%"=="0" (
  mkdir "%BUILD%\%NEW%"
  copy /y "%ROOT%cli\target\quick\lib\*.jar" "%BUILD%\%NEW%" >nul
  copy /y "%ROOT%cli\target\quick\gatun-cli-*.jar" "%BUILD%\%NEW%" >nul
  move /y "%BUILD%\next" "%BUILD%\current" >nul
)
rmdir "%BUILD%\lock"
exit /b %RESULT%
